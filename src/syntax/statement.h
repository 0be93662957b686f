// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/option.h"

// What the parser makes of Braid's statements. Offsets count bytes in the statement's text.
// Grammar: docs/sql/.
namespace braid::syntax {

struct Name {
  std::string schema;  // empty when not given
  std::string name;
  size_t offset = 0;

  std::string ToString() const { return schema.empty() ? name : schema + "." + name; }
  std::string Quoted() const;  // "schema"."name"
};

// A part of the statement kept as text: a query, a condition.
struct SourceText {
  std::string text;
  size_t offset = 0;
};

// m, m@alias or m@version.
struct ModelReference {
  Name name;
  std::optional<std::string> alias;
  std::optional<int64_t> version;
  size_t offset = 0;
};

struct ColumnDefinition {
  std::string name;
  std::string type;  // SQL; empty where the query decides
  bool not_null = false;
  size_t offset = 0;
};

enum class ViolationAction : uint8_t { kKeep, kDropRow, kFailUpdate, kQuarantine };

struct Expectation {
  std::string name;
  SourceText condition;
  ViolationAction action = ViolationAction::kKeep;
};

// CREATE [OR REFRESH] STREAMING TABLE [IF NOT EXISTS] t [(…)] [COMMENT '…'] [AS query]
// CREATE [OR REFRESH] MATERIALIZED VIEW [IF NOT EXISTS] v [(…)] [COMMENT '…'] AS query
struct TableDeclaration {
  Name name;
  bool or_refresh = false;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> columns;
  std::vector<Expectation> expectations;
  std::string comment;
  std::optional<SourceText> query;
};
struct CreateStreamingTable : TableDeclaration {};
struct CreateMaterializedView : TableDeclaration {};

// CREATE FLOW f AS INSERT INTO t BY NAME query
struct CreateFlow {
  Name name;
  Name target;
  SourceText query;
};

// CREATE [OR REPLACE] MODEL [IF NOT EXISTS] m [PARTITION BY (column, …)] [TRANSFORM (…)]
// [OPTIONS (…)] [RETRAIN WHEN condition] [PROMOTE WHEN condition] AS query
// CREATE [OR REPLACE] MODEL [IF NOT EXISTS] m [INPUT (…)] OPTIONS (…)
// CREATE [OR REPLACE] MODEL [IF NOT EXISTS] m [INPUT (…) OUTPUT (…)] REMOTE WITH CONNECTION c
// OPTIONS (…)
struct CreateModel {
  Name name;
  bool or_replace = false;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> partition_by;  // names alone
  std::vector<ColumnDefinition> inputs;        // of a model that is imported or remote
  std::vector<ColumnDefinition> outputs;       // of a remote one
  std::string connection;                      // of a remote one; else empty
  size_t connection_offset = 0;
  std::optional<SourceText> transform;
  std::vector<Option> options;
  std::optional<SourceText> retrain_when;
  std::optional<SourceText> promote_when;
  SourceText query;  // empty text: the model is imported or remote
};

// ROLLBACK MODEL m [TO version] [REASON '…']
struct RollbackModel {
  Name model;
  std::optional<int64_t> version;
  std::string reason;
};

// EXPORT MODEL m OPTIONS (uri = '…', format = 'onnx')
struct ExportModel {
  ModelReference model;
  std::vector<Option> options;
};

// ALTER MODEL m[@v] SET ALIAS a [REASON '…'] | UNSET ALIAS a | SET OPTIONS (description = '…', …)
struct AlterModel {
  ModelReference model;
  std::optional<std::string> alias;  // set or unset; none: the options
  size_t alias_offset = 0;
  bool unset = false;
  std::string reason;
  std::vector<Option> options;
};

// CREATE [OR REPLACE] SERVICE [IF NOT EXISTS] s (param type, …) [OPTIONS (…)] AS query
struct CreateService {
  Name name;
  bool or_replace = false;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> params;
  std::vector<Option> options;
  SourceText query;
};

enum class DeclaredKind : uint8_t { kStreamingTable, kMaterializedView, kFlow, kModel, kService };

struct DropObject {
  DeclaredKind kind = DeclaredKind::kStreamingTable;
  bool if_exists = false;
  Name name;
  std::optional<int64_t> version;  // of a model: DROP MODEL m@2
};

enum class ShowKind : uint8_t {
  kStreamingTables,
  kMaterializedViews,
  kFlows,
  kModels,
  kServices,
  kRuns
};
struct Show {
  ShowKind kind = ShowKind::kModels;
};

struct Describe {
  DeclaredKind kind = DeclaredKind::kModel;
  ModelReference object;
};

// Everything else: DuckDB's.
struct EngineStatement {};

using Statement = std::variant<CreateStreamingTable, CreateMaterializedView, CreateFlow,
                               CreateModel, ExportModel, AlterModel, RollbackModel, CreateService,
                               DropObject, Show, Describe, EngineStatement>;

}  // namespace braid::syntax
