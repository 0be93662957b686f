// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/hash.h"
#include "flow/run_parts_internal.h"
#include "syntax/format.h"

namespace braid::flow {

namespace {

std::string Fingerprint(const std::map<std::string, ReadFile>& files) {
  std::string text;
  for (const auto& [path, file] : files)
    text += fmt::format("{}\n{}\n{}\n", path, file.size, file.modified_us);
  return Sha256Hex(text);
}

}  // namespace

int64_t RunContext::VersionOf(const lake::TableKey& key) const {
  if (written.contains(key)) return change.base_snapshot + 1;
  const auto found = tables.find(key);
  return found == tables.end() ? -1 : found->second.version;
}

std::string RunContext::NewTemporary() {
  return fmt::format("temp.main.__braid_{}", temporaries++);
}

std::string SchemaOf(const lake::TableKey& key) { return key.substr(0, key.find('.')); }
std::string NameOf(const lake::TableKey& key) { return key.substr(key.find('.') + 1); }
std::string LakeName(const lake::TableKey& key, const std::string& suffix) {
  return fmt::format("lake.{}.{}", syntax::QuoteIdentifier(SchemaOf(key)),
                     syntax::QuoteIdentifier(NameOf(key) + suffix));
}

bool IsAppend(const Node& node) {
  return node.object.kind == catalog::ObjectKind::kFlow ||
         node.object.kind == catalog::ObjectKind::kStreamingTable;
}

Need FindNeed(const Node& node, const RunContext& run,
              const std::set<lake::TableKey>& will_change) {
  Need need;
  std::string changed;
  const auto found = run.memory.nodes.find(node.name);
  const NodeState* before = found == run.memory.nodes.end() ? nullptr : &found->second;
  const auto note = [&](const std::string& input, const std::string& version, bool certain) {
    need.inputs[input] = version;
    if (before == nullptr || !changed.empty()) return;
    const auto old = before->inputs.find(input);
    if (certain || old == before->inputs.end() || old->second != version)
      changed = input + " changed";
  };
  for (const TableRead& read : node.inputs.tables)
    if (!read.streamed)
      note(read.key, std::to_string(run.VersionOf(read.key)), will_change.contains(read.key));
  for (const syntax::ModelReference& model : node.inputs.models) {
    const std::string key = catalog::ObjectKey(model.name, catalog::ObjectKind::kModel);
    std::string version = "none";
    try {
      version = std::to_string(run.change.state.Resolve(model).version);
    } catch (const Error&) {
      // Trained later in this run, or an error when the node runs.
    }
    note("model " + key, version, will_change.contains("model " + key));
  }
  for (const std::string& pattern : node.inputs.file_patterns)
    note(pattern, Fingerprint(ListFiles(run.connection, run.root, pattern)), false);
  if (before == nullptr) {
    need.reason = "first run";
  } else if (before->definition_hash != DefinitionHash(node.object.definition)) {
    need.reason = "its definition changed";
  } else if (!node.target.empty() && !run.Exists(node.target)) {
    need.reason = "its table is missing";
  } else if (node.inputs.reads_unknown) {
    need.reason = "it reads what cannot be watched";
    need.is_unwatched = true;
    need.is_change = true;
  } else {
    need.reason = changed;
    need.is_change = !changed.empty();
  }
  need.runs = !need.reason.empty();
  return need;
}

}  // namespace braid::flow
