// SPDX-License-Identifier: Apache-2.0
#include "flow/lineage.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/error.h"
#include "flow/declaration_queries_internal.h"
#include "flow/lineage_columns_internal.h"

namespace braid::flow {

namespace {

auto Order(const LineageEdge& edge) {
  return std::tie(edge.to_node, edge.to_column, edge.from_node, edge.from_column, edge.kind);
}
struct Before {
  bool operator()(const LineageEdge& a, const LineageEdge& b) const { return Order(a) < Order(b); }
};

class Edges {
 public:
  explicit Edges(const Node& node)
      : node_(node), to_(node.target.empty() ? node.name : node.target) {}

  void Add(const OutputColumns& columns) {
    for (const OutputColumn& column : columns.named)
      for (const Origin& origin : column.origins) Add(origin, column.name);
    for (const Origin& origin : columns.open) Add(origin, "");
  }

  // What is read, but has no edge by its columns.
  std::vector<LineageEdge> Finish() {
    for (const TableRead& read : node_.inputs.tables) {
      if (read.streamed)
        Put(read.key, "stream");
      else if (!sources_.contains(read.key))
        Put(read.key, "table");
    }
    for (const syntax::ReadFiles& files : node_.inputs.stream_files) Put(files.pattern, "stream");
    for (const std::string& pattern : node_.inputs.file_patterns)
      if (!sources_.contains(pattern)) Put(pattern, "table");
    for (const syntax::ModelReference& model : node_.inputs.models)
      PutModel(catalog::ObjectKey(model.name, catalog::ObjectKind::kModel));
    for (const syntax::Name& service : node_.inputs.services)
      PutModel(catalog::ObjectKey(service, catalog::ObjectKind::kService));
    return {edges_.begin(), edges_.end()};
  }

 private:
  void Add(const Origin& origin, const std::string& to_column) {
    const bool model = origin.kind == OriginKind::kModel;
    if (model) {
      models_.insert(origin.node);
    } else if (IsStreamed(origin.node) && (!origin.column || to_column.empty())) {
      return;  // "stream" says as much
    } else {
      sources_.insert(origin.node);
    }
    LineageEdge edge{origin.node, {}, to_, {}, model ? "model" : "table"};
    if (origin.column && !to_column.empty()) {
      edge.from_column = origin.column;
      edge.to_column = to_column;
      if (!model) edge.kind = "column";
    }
    edges_.insert(std::move(edge));
  }

  void Put(const std::string& from, const char* kind) { edges_.insert({from, {}, to_, {}, kind}); }
  void PutModel(const std::string& from) {
    if (!models_.contains(from)) Put(from, "model");
  }

  bool IsStreamed(const std::string& source) const {
    for (const TableRead& read : node_.inputs.tables)
      if (read.streamed && read.key == source) return true;
    for (const syntax::ReadFiles& files : node_.inputs.stream_files)
      if (files.pattern == source) return true;
    return false;
  }

  const Node& node_;
  std::string to_;
  std::set<LineageEdge, Before> edges_;
  std::set<std::string> sources_;
  std::set<std::string> models_;
};

}  // namespace

std::vector<LineageEdge> LineageOf(const Node& node, QueryReader& reader,
                                   const ColumnLookup& columns) {
  Edges edges(node);
  const syntax::SourceText* query = QueryOf(*node.object.statement);
  if (query != nullptr) {
    try {
      const ParsedQuery parsed = reader.Parse(query->text);
      const bool request = node.object.kind == catalog::ObjectKind::kService;
      edges.Add(ColumnTracer(parsed, columns, request).Trace());
    } catch (const Error&) {
      return {};  // BuildGraph has reported it
    }
  }
  return edges.Finish();
}

}  // namespace braid::flow
