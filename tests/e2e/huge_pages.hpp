// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <fstream>

namespace e2e {

// Hugepages for the time of a test, and a place for their files.
class HugePages {
 public:
  HugePages(unsigned pages, const std::filesystem::path& directory) : directory_(directory) {
    std::ifstream(kControl) >> before_;
    std::ofstream(kControl) << before_ + pages;
    unsigned got = 0;
    std::ifstream(kControl) >> got;
    std::filesystem::create_directory(directory_);
    is_mounted_ = mount("none", directory_.c_str(), "hugetlbfs", 0, nullptr) == 0;
    are_there_ = is_mounted_ && got >= before_ + pages;
  }
  ~HugePages() {
    // Also while a program that a failed test left running has files in it.
    if (is_mounted_) umount2(directory_.c_str(), MNT_DETACH);
    std::ofstream(kControl) << before_;
  }
  HugePages(const HugePages&) = delete;
  HugePages& operator=(const HugePages&) = delete;
  [[nodiscard]] bool are_there() const { return are_there_; }

 private:
  static constexpr const char* kControl = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
  std::filesystem::path directory_;
  unsigned before_ = 0;
  bool is_mounted_ = false;
  bool are_there_ = false;
};

}  // namespace e2e
