// SPDX-License-Identifier: Apache-2.0
#include "serve/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace braid::serve {

namespace {

constexpr size_t kShownName = 200;

// Triton's words, which its clients look for.
Error Unknown(const Generation& generation, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& entry : generation.services) known.push_back(entry.first);
  for (const auto& entry : generation.state->versions) known.push_back(entry.first);
  const std::string shown = name.substr(0, kShownName);
  const auto close = ClosestMatch(shown, known);
  return Error(ErrorCode::kModelNotFound,
               fmt::format("Request for unknown model: '{}' is not found", shown),
               close ? fmt::format("did you mean {}?", *close)
                     : "GET /v1/services lists the services, SHOW MODELS the models");
}

Error UnknownVersion(const std::string& name, const std::string& version,
                     const std::string& known) {
  return Error(ErrorCode::kModelNotFound,
               fmt::format("Request for unknown model: '{}' version {} is not found", name,
                           version.substr(0, kShownName)),
               known);
}

std::optional<int64_t> VersionNumber(const catalog::State& state, const std::string& model,
                                     const std::string& version) {
  const std::string wanted = version.empty() ? "champion" : ToLower(version);
  int64_t number = 0;
  const char* end = wanted.data() + wanted.size();
  const auto parsed = std::from_chars(wanted.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end) {
    for (const catalog::ModelVersion& known : state.versions.at(model))
      if (known.version == number) return number;
    return std::nullopt;
  }
  const auto aliases = state.aliases.find(model);
  if (aliases == state.aliases.end()) return std::nullopt;
  const auto alias = aliases->second.find(wanted);
  if (alias == aliases->second.end()) return std::nullopt;
  return alias->second;
}

}  // namespace

std::string TargetKey(const Generation& generation, const std::string& name,
                      const std::string& version) {
  const std::string key = ToLower(name);
  if (const auto broken = generation.unavailable.find(key); broken != generation.unavailable.end())
    throw broken->second;
  if (const auto found = generation.services.find(key); found != generation.services.end()) {
    const std::string current = std::to_string(found->second->schema.version);
    if (!version.empty() && version != current)
      throw UnknownVersion(key, version, "a service answers as its newest version: " + current);
    return key;
  }
  const size_t at = key.rfind('@');
  const std::string model = key.substr(0, at);
  const std::string wanted = at == std::string::npos ? version : key.substr(at + 1);
  if (!generation.state->versions.contains(model)) throw Unknown(generation, name);
  if (at != std::string::npos && !version.empty() && version != wanted)
    throw UnknownVersion(key, version, "the name gives a version already");
  const std::optional<int64_t> number = VersionNumber(*generation.state, model, wanted);
  if (!number)
    throw UnknownVersion(model, wanted.empty() ? "champion" : wanted,
                         "SHOW MODELS lists versions and aliases");
  return fmt::format("{}@{}", model, *number);
}

}  // namespace braid::serve
