// SPDX-License-Identifier: BSD-3-Clause
#include "control/store/sqlite_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "control/quote.hpp"

namespace control::store {
namespace {

lpm::AnyPrefix prefix_in(const Statement& row, int column) {
  const auto prefix = lpm::parse_prefix(row.text(column));
  if (!prefix) throw BadRow(fmt::format("{} is not a CIDR block", quoted(row.text(column))));
  return *prefix;
}

template <class Bytes>
Bytes bytes_in(const Statement& row, int column) {
  Bytes bytes{};
  const auto blob = row.blob(column);
  if (blob.size() != bytes.size())
    throw BadRow(fmt::format("an id or hash of {} bytes", blob.size()));
  std::ranges::copy(blob, bytes.begin());
  return bytes;
}

ObjectId id_in(const Statement& row, int column) {
  return {bytes_in<decltype(ObjectId::bytes)>(row, column)};
}

dataplane::Service service_in(const Statement& row, int column) {
  const auto service = dataplane::service_named(row.text(column));
  if (!service) throw BadRow(fmt::format("{} is not a service", quoted(row.text(column))));
  return *service;
}

std::uint64_t generation_in(const Statement& row, int column) {
  return static_cast<std::uint64_t>(row.number(column));
}

void read_prefixes(const Database& database, StateReader& reader) {
  Statement row(database,
                "SELECT cidr, id, account, asn, description, loa_document_id, created_by, "
                "created_at, modified_at, generation FROM prefixes");
  while (row.step())
    reader.prefix({.id = id_in(row, 1),
                   .account = std::string(row.text(2)),
                   .cidr = prefix_in(row, 0),
                   .asn = static_cast<std::uint32_t>(row.number(3)),
                   .description = std::string(row.text(4)),
                   .loa_document_id = std::string(row.text(5)),
                   .created_by = row.number(6),
                   .created_at = row.number(7),
                   .modified_at = row.number(8),
                   .generation = generation_in(row, 9)});
}

void read_bindings(const Database& database, StateReader& reader) {
  Statement row(database,
                "SELECT cidr, prefix, id, service, created_by, created_at, modified_at, generation "
                "FROM bindings");
  while (row.step())
    reader.binding({.id = id_in(row, 2),
                    .prefix = prefix_in(row, 1),
                    .cidr = prefix_in(row, 0),
                    .service = service_in(row, 3),
                    .created_by = row.number(4),
                    .created_at = row.number(5),
                    .modified_at = row.number(6),
                    .generation = generation_in(row, 7)});
}

void read_deleted(const Database& database, StateReader& reader) {
  Statement row(database, "SELECT id, deleted_by, deleted_at FROM deleted");
  while (row.step())
    reader.deleted({.id = id_in(row, 0), .by = row.number(1), .at = row.number(2)});
}

void read_tokens(const Database& database, StateReader& reader) {
  Statement row(database,
                "SELECT number, name, may_write, account, hash, created_at, revoked_at FROM tokens "
                "ORDER BY number");
  while (row.step())
    reader.token({.number = row.number(0),
                  .name = std::string(row.text(1)),
                  .may_write = row.number(2) != 0,
                  .account = std::string(row.text(3)),
                  .hash = bytes_in<TokenRow::Hash>(row, 4),
                  .created_at = row.number(5),
                  .revoked_at = row.is_null(6) ? std::nullopt : std::optional(row.number(6))});
}

// from_chars() of this library knows no 128 bits.
AddressNumber addresses_in(const Statement& row, int column) {
  AddressNumber number = 0;
  for (const char c : row.text(column)) {
    if (c < '0' || c > '9')
      throw BadRow(fmt::format("{} is not a number of addresses", quoted(row.text(column))));
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

constexpr std::string_view kOfPrefix = "prefix";
constexpr std::string_view kOfBinding = "binding";

void read_losses(const Database& database, StateReader& reader) {
  Statement row(database,
                "SELECT kind, cidr, account, before, is_gone, is_unsteered, addresses, at "
                "FROM losses");
  while (row.step())
    reader.loss({.key = {.is_prefix = row.text(0) == kOfPrefix, .cidr = prefix_in(row, 1)},
                 .account = std::string(row.text(2)),
                 .before = row.text(3).empty() ? std::nullopt : std::optional(service_in(row, 3)),
                 .is_gone = row.number(4) != 0,
                 .is_unsteered = row.number(5) != 0,
                 .addresses = addresses_in(row, 6),
                 .at = row.number(7)});
}

constexpr const char* kGetGeneration = "SELECT number FROM generation";

std::uint64_t generation_of(Statement& row) {
  if (!row.step()) throw BadRow("its generation is missing");
  const std::uint64_t generation = generation_in(row, 0);
  row.reset();
  return generation;
}

// SQLite's integers are signed.
std::int64_t number_of(std::uint64_t generation) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0} >> 1;
  return static_cast<std::int64_t>(std::min(generation, kMost));
}

}  // namespace

std::uint64_t read_all(const Database& database, StateReader& reader) {
  Statement generation(database, kGetGeneration);
  const std::uint64_t number = generation_of(generation);
  read_prefixes(database, reader);
  read_bindings(database, reader);
  read_deleted(database, reader);
  read_tokens(database, reader);
  read_losses(database, reader);
  return number;
}

std::vector<HistoryRow> read_history(const Database& database, const Store::HistoryQuery& query) {
  Statement row(database,
                "SELECT generation, at, token, who, CASE WHEN ?4 THEN what ELSE '' END, "
                "CASE WHEN ?5 THEN before ELSE '' END FROM history "
                "WHERE generation > ?1 AND generation < ?2 ORDER BY generation DESC LIMIT ?3");
  row.bind(1, number_of(query.above));
  row.bind(2, number_of(query.below));
  row.bind(3, number_of(query.limit));
  row.bind(4, std::int64_t{query.with_what});
  row.bind(5, std::int64_t{query.with_before});
  std::vector<HistoryRow> rows;
  std::size_t bytes = 0;
  while (bytes < query.bytes_max && row.step()) {
    rows.push_back({.generation = generation_in(row, 0),
                    .at = row.number(1),
                    .by = row.number(2),
                    .who = std::string(row.text(3)),
                    .what = std::string(row.text(4)),
                    .before = std::string(row.text(5))});
    bytes += rows.back().what.size() + rows.back().before.size();
  }
  return rows;
}

RowWriter::RowWriter(const Database& database)
    : get_generation_(database, kGetGeneration),
      set_generation_(database, "UPDATE generation SET number = ?1"),
      drop_prefix_(database, "DELETE FROM prefixes WHERE cidr = ?1"),
      drop_binding_(database, "DELETE FROM bindings WHERE cidr = ?1"),
      put_prefix_(database,
                  "REPLACE INTO prefixes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
      put_binding_(database, "REPLACE INTO bindings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      put_deleted_(database, "REPLACE INTO deleted VALUES (?1, ?2, ?3)"),
      forget_deleted_(database, "DELETE FROM deleted WHERE deleted_at < ?1"),
      put_token_(database, "REPLACE INTO tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
      put_history_(database, "INSERT INTO history VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
      put_loss_(database, "REPLACE INTO losses VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      drop_loss_(database, "DELETE FROM losses WHERE kind = ?1 AND cidr = ?2"),
      forget_losses_(database, "DELETE FROM losses WHERE at < ?1") {}

std::uint64_t RowWriter::generation() {
  return generation_of(get_generation_);
}

void RowWriter::write(const Batch& batch) {
  const auto drop = [](Statement& statement, const lpm::AnyPrefix& cidr) {
    const std::string text = to_string(cidr);
    statement.bind(1, std::string_view(text));
    statement.run();
  };
  for (const lpm::AnyPrefix& cidr : batch.dropped_bindings) drop(drop_binding_, cidr);
  for (const lpm::AnyPrefix& cidr : batch.dropped_prefixes) drop(drop_prefix_, cidr);
  for (const PrefixRow* const row : batch.prefixes) put(*row);
  for (const BindingRow* const row : batch.bindings) put(*row);
  forget_deleted_.bind(1, batch.deleted_since);
  forget_deleted_.run();
  for (const DeletedRow& row : batch.deleted) put(row);
  for (const TokenRow& row : batch.tokens) put(row);
  for (const HistoryRow& row : batch.history) put(row);
  forget_losses_.bind(1, batch.losses_since);
  forget_losses_.run();
  for (const Loss::Key& key : batch.dropped_losses) drop_loss(key);
  for (const Loss& loss : batch.losses) put(loss);
  set_generation_.bind(1, number_of(batch.generation_after));
  set_generation_.run();
}

void RowWriter::put(const PrefixRow& row) {
  const std::string cidr = to_string(row.cidr);
  put_prefix_.bind(1, std::string_view(cidr));
  put_prefix_.bind(2, row.id.bytes);
  put_prefix_.bind(3, std::string_view(row.account));
  put_prefix_.bind(4, std::int64_t{row.asn});
  put_prefix_.bind(5, std::string_view(row.description));
  put_prefix_.bind(6, std::string_view(row.loa_document_id));
  put_prefix_.bind(7, row.created_by);
  put_prefix_.bind(8, row.created_at);
  put_prefix_.bind(9, row.modified_at);
  put_prefix_.bind(10, number_of(row.generation));
  put_prefix_.run();
}

void RowWriter::put(const BindingRow& row) {
  const std::string cidr = to_string(row.cidr);
  const std::string prefix = to_string(row.prefix);
  put_binding_.bind(1, std::string_view(cidr));
  put_binding_.bind(2, std::string_view(prefix));
  put_binding_.bind(3, row.id.bytes);
  put_binding_.bind(4, name_of(row.service));
  put_binding_.bind(5, row.created_by);
  put_binding_.bind(6, row.created_at);
  put_binding_.bind(7, row.modified_at);
  put_binding_.bind(8, number_of(row.generation));
  put_binding_.run();
}

void RowWriter::put(const DeletedRow& row) {
  put_deleted_.bind(1, row.id.bytes);
  put_deleted_.bind(2, row.by);
  put_deleted_.bind(3, row.at);
  put_deleted_.run();
}

void RowWriter::put(const TokenRow& row) {
  put_token_.bind(1, row.number);
  put_token_.bind(2, std::string_view(row.name));
  put_token_.bind(3, std::int64_t{row.may_write});
  put_token_.bind(4, std::string_view(row.account));
  put_token_.bind(5, row.hash);
  put_token_.bind(6, row.created_at);
  if (row.revoked_at)
    put_token_.bind(7, *row.revoked_at);
  else
    put_token_.bind_null(7);
  put_token_.run();
}

void RowWriter::put(const HistoryRow& row) {
  put_history_.bind(1, number_of(row.generation));
  put_history_.bind(2, row.at);
  put_history_.bind(3, row.by);
  put_history_.bind(4, std::string_view(row.who));
  put_history_.bind(5, std::string_view(row.what));
  put_history_.bind(6, std::string_view(row.before));
  put_history_.run();
}

void RowWriter::put(const Loss& loss) {
  const std::string cidr = to_string(loss.key.cidr);
  const std::string addresses = fmt::format("{}", loss.addresses);
  put_loss_.bind(1, loss.key.is_prefix ? kOfPrefix : kOfBinding);
  put_loss_.bind(2, std::string_view(cidr));
  put_loss_.bind(3, std::string_view(loss.account));
  put_loss_.bind(4, loss.before ? name_of(*loss.before) : std::string_view());
  put_loss_.bind(5, std::int64_t{loss.is_gone});
  put_loss_.bind(6, std::int64_t{loss.is_unsteered});
  put_loss_.bind(7, std::string_view(addresses));
  put_loss_.bind(8, loss.at);
  put_loss_.run();
}

void RowWriter::drop_loss(const Loss::Key& key) {
  const std::string cidr = to_string(key.cidr);
  drop_loss_.bind(1, key.is_prefix ? kOfPrefix : kOfBinding);
  drop_loss_.bind(2, std::string_view(cidr));
  drop_loss_.run();
}

}  // namespace control::store
