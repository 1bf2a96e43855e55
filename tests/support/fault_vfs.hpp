// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

// A file system of SQLite's between it and the real one: writes and flushes can be made slow, or
// fail. One for a process; sqlite opens it by the name kName.
namespace support {

class FaultVfs {
 public:
  static constexpr const char* kName = "faults";

  static FaultVfs& instance() {
    static FaultVfs vfs;
    return vfs;
  }

  // Called before each flush, and before each write; the result is SQLite's, SQLITE_OK to go on.
  void on_sync(std::function<int()> hook) { set(sync_, std::move(hook)); }
  void on_write(std::function<int()> hook) { set(write_, std::move(hook)); }
  void clear() {
    on_sync(nullptr);
    on_write(nullptr);
  }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  FaultVfs() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = kName;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
      return instance().open(name, file, flags, out);
    };
    methods_.iVersion = 2;
    methods_.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
    methods_.xRead = [](sqlite3_file* f, void* to, int count, sqlite3_int64 at) {
      return real(f)->pMethods->xRead(real(f), to, count, at);
    };
    methods_.xWrite = [](sqlite3_file* f, const void* from, int count, sqlite3_int64 at) {
      const int result = instance().call(instance().write_);
      return result != SQLITE_OK ? result : real(f)->pMethods->xWrite(real(f), from, count, at);
    };
    methods_.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
      return real(f)->pMethods->xTruncate(real(f), size);
    };
    methods_.xSync = [](sqlite3_file* f, int flags) {
      ++instance().syncs_;
      const int result = instance().call(instance().sync_);
      return result != SQLITE_OK ? result : real(f)->pMethods->xSync(real(f), flags);
    };
    methods_.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
      return real(f)->pMethods->xFileSize(real(f), size);
    };
    methods_.xLock = [](sqlite3_file* f, int l) { return real(f)->pMethods->xLock(real(f), l); };
    methods_.xUnlock = [](sqlite3_file* f, int l) {
      return real(f)->pMethods->xUnlock(real(f), l);
    };
    methods_.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return real(f)->pMethods->xCheckReservedLock(real(f), out);
    };
    methods_.xFileControl = [](sqlite3_file* f, int what, void* argument) {
      return real(f)->pMethods->xFileControl(real(f), what, argument);
    };
    methods_.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
    methods_.xDeviceCharacteristics = [](sqlite3_file* f) {
      return real(f)->pMethods->xDeviceCharacteristics(real(f));
    };
    methods_.xShmMap = [](sqlite3_file* f, int region, int size, int extend, void volatile** out) {
      return real(f)->pMethods->xShmMap(real(f), region, size, extend, out);
    };
    methods_.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
      return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
    };
    methods_.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
    methods_.xShmUnmap = [](sqlite3_file* f, int remove) {
      return real(f)->pMethods->xShmUnmap(real(f), remove);
    };
    sqlite3_vfs_register(&vfs_, 0);
  }

  static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

  int open(const char* name, sqlite3_file* file, int flags, int* out) {
    std::memset(file, 0, static_cast<std::size_t>(vfs_.szOsFile));
    const int result = real_->xOpen(real_, name, real(file), flags, out);
    if (result == SQLITE_OK) file->pMethods = &methods_;
    return result;
  }

  void set(std::function<int()>& hook, std::function<int()> to) {
    const std::lock_guard lock(mutex_);
    hook = std::move(to);
  }
  int call(const std::function<int()>& hook) {
    std::function<int()> copy;
    {
      const std::lock_guard lock(mutex_);
      copy = hook;
    }
    return copy ? copy() : SQLITE_OK;
  }

  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
  sqlite3_io_methods methods_{};
  std::atomic<std::uint64_t> syncs_{0};
  std::mutex mutex_;
  std::function<int()> sync_;   // under mutex_
  std::function<int()> write_;  // under mutex_
};

}  // namespace support
