// SPDX-License-Identifier: Apache-2.0
#include "flow/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "catalog/place.h"
#include "flow/declaration_queries_internal.h"
#include "flow/graph_order_internal.h"

namespace braid::flow {

namespace {

using catalog::ObjectKind;

constexpr std::string_view kInference = "inference.";
constexpr std::string_view kFeedback = "feedback.";
constexpr std::string_view kLabelled = "_labelled";
constexpr std::string_view kQuarantine = "__quarantine";

std::string_view SchemaOf(const lake::TableKey& key) {
  return std::string_view(key).substr(0, key.find('.'));
}

// bronze < silver < gold; other schemas are no layers.
std::optional<int> LayerOf(const lake::TableKey& key) {
  const std::string_view schema = SchemaOf(key);
  if (schema == "bronze") return 0;
  if (schema == "silver") return 1;
  if (schema == "gold") return 2;
  return std::nullopt;
}

bool Streams(ObjectKind kind) {
  return kind == ObjectKind::kStreamingTable || kind == ObjectKind::kFlow;
}

class Builder {
 public:
  Builder(const std::set<std::string>& known_tables, const std::set<std::string>& known_models,
          QueryReader& reader)
      : known_tables_(known_tables), known_models_(known_models), reader_(reader) {}

  Graph Run(const std::vector<catalog::Object>& objects) {
    for (const catalog::Object& object : objects) AddNode(object);
    NameNodes();
    reads_.resize(graph_.nodes.size());
    for (size_t at = 0; at < graph_.nodes.size(); ++at) Link(at);
    OrderNodes(graph_, reads_);
    return std::move(graph_);
  }

 private:
  void AddNode(const catalog::Object& object) {
    const size_t at = graph_.nodes.size();
    Node node;
    node.object = object;
    bool added = true;
    if (const auto* flow = std::get_if<syntax::CreateFlow>(object.statement.get())) {
      node.target = catalog::ObjectKey(flow->target, ObjectKind::kStreamingTable);
      added = flows_.insert(object.key).second;
      if (added) writers_[node.target].push_back(at);
    } else if (object.kind == ObjectKind::kModel) {
      added = models_.emplace(object.key, at).second;
    } else if (object.kind == ObjectKind::kService) {
      added = services_.emplace(object.key, at).second;
    } else {
      node.target = object.key;
      added = tables_.emplace(object.key, at).second;
    }
    if (!added) return;  // declared twice, as LoadDeclarations says
    node.inputs = InputsOf(object, reader_, graph_.problems);
    if (object.kind == ObjectKind::kService)  // whose request is no table
      std::erase_if(node.inputs.tables,
                    [](const TableRead& read) { return read.key == "main.request"; });
    graph_.nodes.push_back(std::move(node));
  }

  void NameNodes() {
    for (Node& node : graph_.nodes) {
      const std::string& key = node.object.key;
      bool taken = node.object.kind == ObjectKind::kFlow;
      if (node.object.kind == ObjectKind::kModel) taken = tables_.contains(key);
      if (node.object.kind == ObjectKind::kService)
        taken = tables_.contains(key) || models_.contains(key);
      node.name = taken ? fmt::format("{} {}", KindName(node.object.kind), key) : key;
    }
  }

  void Link(size_t at) {
    Node& node = graph_.nodes[at];
    if (node.object.kind == ObjectKind::kFlow) LinkTarget(at);
    for (const TableRead& read : node.inputs.tables) LinkTable(at, read);
    for (const syntax::ModelReference& model : node.inputs.models) LinkModel(at, model);
    for (const syntax::Name& service : node.inputs.services) LinkService(at, service);
    if (Streams(node.object.kind)) return;
    for (const TableRead& read : node.inputs.tables)
      if (read.streamed) RefuseStream(at, read.offset);
    for (const syntax::ReadFiles& files : node.inputs.stream_files) RefuseStream(at, files.offset);
  }

  void LinkTarget(size_t at) {
    const Node& node = graph_.nodes[at];
    const auto& flow = std::get<syntax::CreateFlow>(*node.object.statement);
    const auto target = tables_.find(node.target);
    if (target != tables_.end()) {
      AddEdge(target->second, at, flow.target.offset);
    } else if (node.object.owner != "project" && !known_tables_.contains(node.target)) {
      ReportTable(at, node.target, flow.target.offset);
    }
  }

  void LinkTable(size_t at, const TableRead& read) {
    Node& node = graph_.nodes[at];
    const std::string_view schema = SchemaOf(read.key);
    if (schema == "inference" || schema == "feedback") {
      LinkCaptured(at, read);
    } else if (schema == "braid") {
      node.inputs.reads_unknown = true;
    } else if (const auto source = FindTable(read.key)) {
      AddEdge(*source, at, read.offset);
      for (const size_t writer : writers_[graph_.nodes[*source].target])
        AddEdge(writer, at, read.offset);
      if (read.streamed) WarnOfRecomputed(at, *source);
    } else if (!known_tables_.contains(read.key)) {
      ReportTable(at, read.key, read.offset);
    }
    WarnOfLayers(at, read.key);
  }

  // The node that declares a table, or whose quarantined rows it holds.
  std::optional<size_t> FindTable(const lake::TableKey& key) const {
    if (const auto found = tables_.find(key); found != tables_.end()) return found->second;
    if (!key.ends_with(kQuarantine)) return std::nullopt;
    const auto found = tables_.find(key.substr(0, key.size() - kQuarantine.size()));
    if (found == tables_.end()) return std::nullopt;
    const syntax::Statement& statement = *graph_.nodes[found->second].object.statement;
    const syntax::TableDeclaration* table = std::get_if<syntax::CreateStreamingTable>(&statement);
    if (table == nullptr) table = std::get_if<syntax::CreateMaterializedView>(&statement);
    for (const syntax::Expectation& expectation : table->expectations)
      if (expectation.action == syntax::ViolationAction::kQuarantine) return found->second;
    return std::nullopt;
  }

  bool IsKnownService(const std::string& key) const {
    return services_.contains(key) || known_tables_.contains(std::string(kInference) + key);
  }

  void LinkCaptured(size_t at, const TableRead& read) {
    Node& node = graph_.nodes[at];
    const std::string& key = read.key;
    const bool inference = key.starts_with(kInference);
    const std::string service = key.substr((inference ? kInference : kFeedback).size());
    bool known = IsKnownService(service) || known_tables_.contains(key);
    if (inference && service.ends_with(kLabelled))
      known = known || IsKnownService(service.substr(0, service.size() - kLabelled.size()));
    if (!known) ReportService(at, service, read.offset);
    if (std::find(node.captured.begin(), node.captured.end(), key) == node.captured.end())
      node.captured.push_back(key);
  }

  void LinkModel(size_t at, const syntax::ModelReference& model) {
    const std::string key = catalog::ObjectKey(model.name, ObjectKind::kModel);
    const auto found = models_.find(key);
    if (found != models_.end()) {
      AddEdge(found->second, at, model.offset);
    } else if (!known_models_.contains(key)) {
      std::vector<std::string> candidates(known_models_.begin(), known_models_.end());
      for (const auto& entry : models_) candidates.push_back(entry.first);
      const auto close = ClosestMatch(key, candidates);
      Report(at, model.offset, ErrorCode::kModelNotFound, fmt::format("Model not found: {}", key),
             close ? fmt::format("did you mean {}?", *close) : "declare it with CREATE MODEL");
    }
  }

  void LinkService(size_t at, const syntax::Name& service) {
    const std::string key = catalog::ObjectKey(service, ObjectKind::kService);
    const auto found = services_.find(key);
    if (found != services_.end()) {
      AddEdge(found->second, at, service.offset);
    } else if (!IsKnownService(key)) {
      ReportService(at, key, service.offset);
    }
  }

  void AddEdge(size_t from, size_t to, size_t offset) { reads_[to].try_emplace(from, offset); }

  void Report(size_t at, size_t offset, ErrorCode code, std::string message, std::string hint) {
    graph_.problems.push_back(catalog::PlaceInFile(Error(code, std::move(message), std::move(hint)),
                                                   graph_.nodes[at].object, offset));
  }

  void ReportTable(size_t at, const lake::TableKey& key, size_t offset) {
    std::vector<std::string> candidates(known_tables_.begin(), known_tables_.end());
    for (const auto& entry : tables_) candidates.push_back(entry.first);
    auto close = ClosestMatch(key, candidates);
    // A bare name most often lacks its schema.
    const std::string bare = key.substr(key.find('.'));
    if (SchemaOf(key) == "main")
      for (const std::string& candidate : candidates)
        if (candidate.ends_with(bare) && candidate.find('.') == candidate.size() - bare.size())
          close = candidate;
    Report(at, offset, ErrorCode::kTableNotFound, fmt::format("Table not found: {}", key),
           close ? fmt::format("did you mean {}?", *close)
                 : "declare it in the project, or name its schema");
  }

  void ReportService(size_t at, const std::string& key, size_t offset) {
    std::vector<std::string> candidates;
    for (const auto& entry : services_) candidates.push_back(entry.first);
    for (const std::string& table : known_tables_)
      if (table.starts_with(kInference)) candidates.push_back(table.substr(kInference.size()));
    const auto close = ClosestMatch(key, candidates);
    Report(at, offset, ErrorCode::kServiceNotFound, fmt::format("Service not found: {}", key),
           close ? fmt::format("did you mean {}?", *close) : "declare it with CREATE SERVICE");
  }

  void RefuseStream(size_t at, size_t offset) {
    Report(
        at, offset, ErrorCode::kNotSupported, "STREAM stands outside a streaming table or flow",
        "read it without STREAM here; STREAM belongs into CREATE STREAMING TABLE or CREATE FLOW");
  }

  void Warn(const Node& node, const std::string& text) {
    std::string warning = fmt::format("{} {}", node.name, text);
    if (!node.object.file.empty())
      warning += fmt::format(" ({}:{})", node.object.file, node.object.line);
    if (std::find(graph_.warnings.begin(), graph_.warnings.end(), warning) == graph_.warnings.end())
      graph_.warnings.push_back(std::move(warning));
  }

  void WarnOfRecomputed(size_t at, size_t source) {
    const Node& from = graph_.nodes[source];
    if (from.object.kind == ObjectKind::kMaterializedView)
      Warn(graph_.nodes[at],
           fmt::format("streams from {}, a materialized view, whose rows are replaced when it is "
                       "recomputed: the stream then stops with STREAM_SOURCE_CHANGED",
                       from.name));
  }

  void WarnOfLayers(size_t at, const lake::TableKey& read) {
    const auto from = LayerOf(read);
    const auto to = LayerOf(graph_.nodes[at].target);
    if (!from || !to || *from <= *to) return;
    Warn(graph_.nodes[at], fmt::format("reads {}: the arrow points up, from {} to {}", read,
                                       SchemaOf(read), SchemaOf(graph_.nodes[at].target)));
  }

  const std::set<std::string>& known_tables_;
  const std::set<std::string>& known_models_;
  QueryReader& reader_;
  Graph graph_;
  std::map<std::string, size_t> tables_;
  std::map<std::string, size_t> models_;
  std::map<std::string, size_t> services_;
  std::set<std::string> flows_;
  std::map<std::string, std::vector<size_t>> writers_;  // flows, by their target
  ReadPlaces reads_;
};

}  // namespace

Graph BuildGraph(const std::vector<catalog::Object>& objects,
                 const std::set<std::string>& known_tables,
                 const std::set<std::string>& known_models, QueryReader& reader) {
  return Builder(known_tables, known_models, reader).Run(objects);
}

}  // namespace braid::flow
