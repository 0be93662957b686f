// SPDX-License-Identifier: Apache-2.0
#include "catalog/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::catalog {

namespace {

using syntax::QuoteString;
using syntax::Token;
using syntax::TokenKind;

// Calls `see` for each MODEL m@… in a text, also within its strings (a promotion query is one).
template <typename See>
void FindModelReferences(std::string_view text, const See& see) {
  std::vector<Token> tokens;
  try {
    tokens = syntax::Lex(text, "");
  } catch (const Error&) {
    return;  // a string that is no SQL
  }
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].kind == TokenKind::kString) {
      const std::string inner = syntax::StringOf(tokens[i]);
      if (inner.find('@') != std::string::npos) FindModelReferences(inner, see);
    }
    if (!tokens[i].Is("MODEL") || !tokens[i + 1].IsName()) continue;
    size_t at = i + 1;
    std::string name = syntax::NameOf(tokens[at++]);
    if (tokens[at].Is(".") && tokens[at + 1].IsName()) {
      name += "." + syntax::NameOf(tokens[at + 1]);
      at += 2;
    }
    if (tokens[at].Is("@")) see(ToLower(name), tokens[at + 1]);
  }
}

// The texts of the lake's views and macros, by name.
std::vector<std::vector<nlohmann::ordered_json>> ViewTexts(engine::Connection& connection) {
  return connection.Rows(
      "SELECT 'view ' || schema_name || '.' || view_name, sql FROM duckdb_views() WHERE "
      "database_name = 'lake' AND NOT internal UNION ALL SELECT 'macro ' || schema_name || '.' || "
      "function_name, macro_definition FROM duckdb_functions() WHERE database_name = 'lake' AND "
      "macro_definition IS NOT NULL");
}

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Runs of 64 hexadecimal digits: SHA-256.
void FindHashes(std::string_view text, std::set<std::string>& hashes) {
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && IsHex(text[end])) ++end;
    if (end - at == 64) hashes.emplace(text.substr(at, 64));
    at = end + 1;
  }
}

std::set<std::string> ArtefactsOf(const ModelVersion& version) {
  std::set<std::string> artefacts = {version.artefact_sha256};
  for (const ModelTrial& trial : version.trials)
    if (!trial.artefact_sha256.empty()) artefacts.insert(trial.artefact_sha256);
  return artefacts;
}

// The newest value of a note of the model itself.
std::optional<double> NumberNoted(engine::Connection& connection, const std::string& model,
                                  const char* name) {
  const auto value = connection.Scalar(
      fmt::format("SELECT arg_max(TRY_CAST(\"value\" AS DOUBLE), \"at\") FROM (SELECT \"value\", "
                  "\"at\" FROM lake.braid.model_note WHERE model = {} AND version IS NULL AND name "
                  "= {} ORDER BY \"at\" DESC LIMIT 1)",
                  QuoteString(model), QuoteString(name)));
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

}  // namespace

std::optional<RetentionPolicy> FindRetention(engine::Connection& connection,
                                             const std::string& model) {
  const std::optional<double> versions = NumberNoted(connection, model, kKeepVersions);
  const std::optional<double> days = NumberNoted(connection, model, kKeepDays);
  if (!versions && !days) return std::nullopt;
  return RetentionPolicy{.keep_versions = static_cast<int64_t>(versions.value_or(1)),
                         .keep_days = days.value_or(0)};
}

std::map<int64_t, std::string> HeldVersions(engine::Connection& connection, const State& state,
                                            const std::string& model) {
  std::map<int64_t, std::string> held;
  const auto aliases = state.aliases.find(model);
  if (aliases != state.aliases.end())
    for (const auto& [alias, version] : aliases->second) held.emplace(version, "alias " + alias);
  for (const auto& of_kind : state.objects)
    for (const auto& [key, object] : of_kind)
      FindModelReferences(object.definition, [&](const std::string& name, const Token& at) {
        int64_t version = 0;
        if (name != model || at.kind != TokenKind::kNumber) return;  // aliases are held above
        const auto parsed =
            std::from_chars(at.text.data(), at.text.data() + at.text.size(), version);
        if (parsed.ec == std::errc())
          held.emplace(version, fmt::format("{} {}", KindName(object.kind), key));
      });
  const auto versions = state.versions.find(model);
  if (versions == state.versions.end()) return held;
  for (const auto& row : ViewTexts(connection)) {
    std::set<std::string> hashes;
    FindHashes(row[1].get_ref<const std::string&>(), hashes);
    for (const ModelVersion& version : versions->second)
      for (const std::string& artefact : ArtefactsOf(version))
        if (hashes.contains(artefact)) held.emplace(version.version, row[0].get<std::string>());
  }
  return held;
}

void RemoveModelVersion(engine::Connection& connection, State& state, const std::string& model,
                        int64_t version) {
  for (const char* table : {"model_version", "model_trial", "model_note"})
    connection.Execute(fmt::format("DELETE FROM lake.braid.{} WHERE model = {} AND version = {}",
                                   table, QuoteString(model), version));
  std::erase_if(state.versions[model],
                [version](const ModelVersion& other) { return other.version == version; });
}

std::vector<int64_t> ExpireVersions(engine::Connection& connection, State& state,
                                    const std::string& model, const std::string& now) {
  const std::optional<RetentionPolicy> policy = FindRetention(connection, model);
  const auto found = state.versions.find(model);
  if (!policy || found == state.versions.end()) return {};
  const auto keep = static_cast<size_t>(std::max<int64_t>(1, policy->keep_versions));
  if (found->second.size() <= keep) return {};
  const std::map<int64_t, std::string> held = HeldVersions(connection, state, model);
  const std::string last = std::to_string(found->second[found->second.size() - keep].version);
  std::vector<int64_t> gone;
  for (const auto& row : connection.Rows(fmt::format(
           "SELECT version FROM lake.braid.model_version WHERE model = {} AND version < {} AND "
           "created_at <= CAST({} AS TIMESTAMPTZ) - to_microseconds(CAST({} * 86400e6 AS BIGINT)) "
           "ORDER BY version",
           QuoteString(model), last, QuoteString(now), policy->keep_days)))
    if (!held.contains(row[0].get<int64_t>())) gone.push_back(row[0].get<int64_t>());
  for (const int64_t version : gone) RemoveModelVersion(connection, state, model, version);
  return gone;
}

std::set<std::string> ArtefactsOf(const State& state) {
  std::set<std::string> artefacts;
  for (const auto& [model, versions] : state.versions)
    for (const ModelVersion& version : versions) artefacts.merge(ArtefactsOf(version));
  return artefacts;
}

std::set<std::string> ArtefactsOfViews(engine::Connection& connection) {
  std::set<std::string> hashes;
  for (const auto& row : ViewTexts(connection))
    FindHashes(row[1].get_ref<const std::string&>(), hashes);
  return hashes;
}

}  // namespace braid::catalog
