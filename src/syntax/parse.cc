// SPDX-License-Identifier: Apache-2.0
#include "syntax/parse.h"

#include <fmt/format.h>

#include "base/text.h"
#include "syntax/cursor_internal.h"

namespace braid::syntax {

namespace {

ViolationAction ParseViolation(Cursor& cursor) {
  if (!cursor.AcceptWords({"ON", "VIOLATION"})) {
    if (cursor.Accept("ON")) cursor.FailExpected({"VIOLATION"}, "after ON");
    return ViolationAction::kKeep;
  }
  if (cursor.Accept("DROP")) {
    cursor.Expect("ROW", "after ON VIOLATION DROP");
    return ViolationAction::kDropRow;
  }
  if (cursor.Accept("FAIL")) {
    cursor.Expect("UPDATE", "after ON VIOLATION FAIL");
    return ViolationAction::kFailUpdate;
  }
  if (cursor.Accept("QUARANTINE")) return ViolationAction::kQuarantine;
  cursor.FailExpected({"DROP ROW", "FAIL UPDATE", "QUARANTINE"}, "after ON VIOLATION");
}

Expectation ParseExpectation(Cursor& cursor) {
  Expectation expectation;
  expectation.name = cursor.ExpectIdentifier("the constraint's name");
  cursor.Expect("EXPECT", fmt::format("after CONSTRAINT {}", expectation.name));
  expectation.condition = cursor.ExpectParenthesised("a condition in parentheses after EXPECT");
  if (expectation.condition.text.empty())
    cursor.Fail("An expectation has no condition", "write EXPECT (condition)",
                expectation.condition.offset);
  expectation.action = ParseViolation(cursor);
  return expectation;
}

ColumnDefinition ParseColumn(Cursor& cursor, std::string_view what, bool type_required) {
  ColumnDefinition column;
  column.offset = cursor.Peek().begin;
  column.name = cursor.ExpectIdentifier(what);
  column.type = cursor.TextUntil({"NOT", "COMMENT", "CONSTRAINT"}).text;
  if (type_required && column.type.empty())
    cursor.Fail(fmt::format("Expected a type after {}", column.name),
                "write name TYPE, such as carrier VARCHAR", cursor.Peek().begin);
  if (cursor.AcceptWords({"NOT", "NULL"})) column.not_null = true;
  if (cursor.Accept("COMMENT")) cursor.ExpectString("a comment");
  return column;
}

template <typename T>
void CheckUnique(const Cursor& cursor, const std::vector<T>& items, std::string_view what,
                 size_t offset) {
  for (size_t i = 0; i < items.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (EqualsIgnoringCase(items[i].name, items[j].name))
        cursor.Fail(fmt::format("{} appears twice: {}", what, items[i].name), "rename one of them",
                    offset);
}

void ParseTableBody(Cursor& cursor, TableDeclaration& table, bool query_required) {
  const size_t offset = cursor.Peek().begin;
  if (cursor.Accept("(")) {
    do {
      if (cursor.Accept("CONSTRAINT")) {
        table.expectations.push_back(ParseExpectation(cursor));
      } else {
        table.columns.push_back(ParseColumn(cursor, "a column's name or CONSTRAINT", false));
      }
    } while (cursor.Accept(","));
    if (!cursor.Accept(")"))
      cursor.FailExpected({",", ")"}, "in the list of columns and constraints");
    CheckUnique(cursor, table.columns, "A column", offset);
    CheckUnique(cursor, table.expectations, "A constraint", offset);
  }
  if (cursor.Accept("COMMENT")) table.comment = cursor.ExpectString("a comment");
  if (cursor.Accept("AS")) {
    table.query = cursor.ExpectQuery("after AS");
  } else if (query_required || !cursor.AtEnd()) {
    cursor.FailExpected({"AS", "COMMENT"}, "after the name and columns");
  }
}

Statement ParseTable(Cursor& cursor, bool materialized, bool or_refresh) {
  TableDeclaration table;
  table.or_refresh = or_refresh;
  table.if_not_exists = cursor.AcceptWords({"IF", "NOT", "EXISTS"});
  table.name = cursor.ExpectName(materialized ? "the view's name" : "the table's name");
  ParseTableBody(cursor, table, materialized);
  if (materialized) return CreateMaterializedView{std::move(table)};
  return CreateStreamingTable{std::move(table)};
}

Statement ParseFlow(Cursor& cursor) {
  CreateFlow flow;
  flow.name = cursor.ExpectName("the flow's name");
  cursor.Expect("AS", "after the flow's name");
  cursor.Expect("INSERT", "after AS in CREATE FLOW");
  cursor.Expect("INTO", "after INSERT");
  flow.target = cursor.ExpectName("the target table's name");
  if (!cursor.AcceptWords({"BY", "NAME"}))
    cursor.Fail("A flow inserts BY NAME",
                "write INSERT INTO " + flow.target.ToString() + " BY NAME SELECT …",
                cursor.Peek().begin);
  flow.query = cursor.ExpectQuery("after BY NAME");
  return flow;
}

std::vector<ColumnDefinition> ParsePartition(Cursor& cursor) {
  std::vector<ColumnDefinition> columns;
  const size_t offset = cursor.Peek().begin;
  cursor.Expect("(", "after PARTITION BY");
  do {
    const size_t begin = cursor.Peek().begin;
    columns.push_back({.name = cursor.ExpectIdentifier("a column's name"), .offset = begin});
  } while (cursor.Accept(","));
  if (!cursor.Accept(")")) cursor.FailExpected({",", ")"}, "in PARTITION BY");
  CheckUnique(cursor, columns, "A partition column", offset);
  return columns;
}

// (name type, …)
std::vector<ColumnDefinition> ParseColumns(Cursor& cursor, const std::string& after,
                                           size_t offset) {
  std::vector<ColumnDefinition> columns;
  cursor.Expect("(", "after " + after);
  do columns.push_back(ParseColumn(cursor, "a column's name", true));
  while (cursor.Accept(","));
  if (!cursor.Accept(")")) cursor.FailExpected({",", ")"}, "in the columns of " + after);
  CheckUnique(cursor, columns, "A column", offset);
  return columns;
}

// After INPUT (…): [OUTPUT (…)] [REMOTE WITH CONNECTION c]
void ParseRemote(Cursor& cursor, CreateModel& model) {
  const size_t output = cursor.Peek().begin;
  if (cursor.Accept("OUTPUT")) model.outputs = ParseColumns(cursor, "OUTPUT", output);
  if (!cursor.Accept("REMOTE")) {
    if (!model.outputs.empty()) cursor.FailExpected({"REMOTE WITH CONNECTION"}, "after OUTPUT");
    return;
  }
  cursor.Expect("WITH", "after REMOTE");
  cursor.Expect("CONNECTION", "after REMOTE WITH");
  model.connection_offset = cursor.Peek().begin;
  model.connection = cursor.ExpectIdentifier("the connection's name");
  if (!model.partition_by.empty())
    cursor.Fail("PARTITION BY is not for remote models", "leave it out",
                model.partition_by[0].offset);
  if (!cursor.Peek().Is("OPTIONS"))
    cursor.FailExpected({"OPTIONS"}, "after REMOTE WITH CONNECTION " + model.connection);
  if (model.inputs.empty() != model.outputs.empty())
    cursor.Fail("A remote model has INPUT and OUTPUT, or neither",
                "without them the server tells what goes in and comes out", output);
}

SourceText ParseCondition(Cursor& cursor, std::initializer_list<std::string_view> stops,
                          std::string_view where) {
  SourceText condition = cursor.TextUntil(stops);
  if (condition.text.empty())
    cursor.Fail(fmt::format("Expected a condition {}", where), "such as: new_rows >= 1000",
                condition.offset);
  return condition;
}

Statement ParseModel(Cursor& cursor, bool or_replace) {
  CreateModel model;
  model.or_replace = or_replace;
  model.if_not_exists = cursor.AcceptWords({"IF", "NOT", "EXISTS"});
  model.name = cursor.ExpectName("the model's name");
  if (cursor.AcceptWords({"PARTITION", "BY"})) model.partition_by = ParsePartition(cursor);
  if (const size_t offset = cursor.Peek().begin; cursor.Accept("INPUT"))
    model.inputs = ParseColumns(cursor, "INPUT", offset);
  ParseRemote(cursor, model);
  if (cursor.Accept("TRANSFORM")) model.transform = cursor.ExpectParenthesised("( after TRANSFORM");
  if (cursor.Accept("OPTIONS")) model.options = cursor.ParseOptions("after OPTIONS");
  if (!model.options.empty() && cursor.AtEnd()) return model;
  if (!model.connection.empty())
    cursor.Fail("A remote model is not trained", "end the statement after OPTIONS (…)",
                cursor.Peek().begin);
  if (cursor.AcceptWords({"RETRAIN", "WHEN"}))
    model.retrain_when = ParseCondition(cursor, {"PROMOTE", "AS"}, "after RETRAIN WHEN");
  if (cursor.AcceptWords({"PROMOTE", "WHEN"}))
    model.promote_when = ParseCondition(cursor, {"AS"}, "after PROMOTE WHEN");
  if (!model.inputs.empty())
    cursor.Fail("A model with INPUT is imported", "leave the query out, or INPUT",
                model.inputs[0].offset);
  if (!cursor.Accept("AS"))
    cursor.FailExpected({"PARTITION", "INPUT", "REMOTE", "TRANSFORM", "OPTIONS", "RETRAIN WHEN",
                         "PROMOTE WHEN", "AS"},
                        "in CREATE MODEL");
  model.query = cursor.ExpectQuery("after AS");
  return model;
}

Statement ParseService(Cursor& cursor, bool or_replace) {
  CreateService service;
  service.or_replace = or_replace;
  service.if_not_exists = cursor.AcceptWords({"IF", "NOT", "EXISTS"});
  service.name = cursor.ExpectName("the service's name");
  const size_t offset = cursor.Peek().begin;
  cursor.Expect("(", "after the service's name");
  if (!cursor.Accept(")")) {
    do service.params.push_back(ParseColumn(cursor, "a parameter's name", true));
    while (cursor.Accept(","));
    if (!cursor.Accept(")")) cursor.FailExpected({",", ")"}, "in the parameters");
  }
  CheckUnique(cursor, service.params, "A parameter", offset);
  if (cursor.Accept("OPTIONS")) service.options = cursor.ParseOptions("after OPTIONS");
  if (!cursor.Accept("AS")) cursor.FailExpected({"OPTIONS", "AS"}, "in CREATE SERVICE");
  service.query = cursor.ExpectQuery("after AS");
  return service;
}

std::optional<DeclaredKind> AcceptKind(Cursor& cursor) {
  if (cursor.AcceptWords({"STREAMING", "TABLE"})) return DeclaredKind::kStreamingTable;
  if (cursor.AcceptWords({"MATERIALIZED", "VIEW"})) return DeclaredKind::kMaterializedView;
  if (cursor.Accept("FLOW")) return DeclaredKind::kFlow;
  if (cursor.Accept("MODEL")) return DeclaredKind::kModel;
  if (cursor.Accept("SERVICE")) return DeclaredKind::kService;
  return std::nullopt;
}

// CREATE of something that is neither ours nor DuckDB's: a misspelt word of ours is told here,
// since DuckDB would only say that it cannot parse it.
void RefuseMisspeltCreate(const Cursor& cursor) {
  static const std::vector<std::string> ours = {"STREAMING", "MATERIALIZED", "FLOW", "MODEL",
                                                "SERVICE"};
  for (const char* known : {"TABLE", "VIEW", "SCHEMA", "TEMP", "TEMPORARY", "MACRO", "FUNCTION",
                            "TYPE", "SEQUENCE", "INDEX", "UNIQUE", "SECRET", "PERSISTENT", "LOCAL",
                            "RECURSIVE", "DATABASE", "TRIGGER", "OR"})
    if (cursor.Peek().Is(known)) return;
  if (!cursor.Peek().IsName()) return;
  std::vector<std::string> candidates = ours;
  candidates.emplace_back("MATERIALISED");
  if (ClosestMatch(cursor.Peek().text, candidates)) cursor.FailExpected(ours, "after CREATE");
}

Statement ParseCreate(Cursor& cursor) {
  bool or_refresh = false;
  bool or_replace = false;
  if (cursor.AcceptWords({"OR", "REFRESH"}))
    or_refresh = true;
  else if (cursor.AcceptWords({"OR", "REPLACE"}))
    or_replace = true;
  const size_t start = cursor.Peek().begin;
  const auto kind = AcceptKind(cursor);
  if (!kind) {
    if (cursor.Accept("STREAMING")) cursor.FailExpected({"TABLE"}, "after CREATE STREAMING");
    if (cursor.Accept("MATERIALIZED")) cursor.FailExpected({"VIEW"}, "after CREATE MATERIALIZED");
    if (or_refresh)
      cursor.FailExpected({"STREAMING TABLE", "MATERIALIZED VIEW"}, "after CREATE OR REFRESH");
    RefuseMisspeltCreate(cursor);
    return EngineStatement{};
  }
  const bool table =
      *kind == DeclaredKind::kStreamingTable || *kind == DeclaredKind::kMaterializedView;
  if (table && or_replace)
    cursor.Fail("A streaming table or materialized view is not replaced", "write CREATE OR REFRESH",
                start);
  if (!table && or_refresh)
    cursor.FailExpected({"STREAMING TABLE", "MATERIALIZED VIEW"}, "after CREATE OR REFRESH");
  switch (*kind) {
    case DeclaredKind::kStreamingTable:
      return ParseTable(cursor, false, or_refresh);
    case DeclaredKind::kMaterializedView:
      return ParseTable(cursor, true, or_refresh);
    case DeclaredKind::kFlow:
      return ParseFlow(cursor);
    case DeclaredKind::kModel:
      return ParseModel(cursor, or_replace);
    default:
      return ParseService(cursor, or_replace);
  }
}

void ExpectEnd(Cursor& cursor) {
  if (!cursor.AtEnd())
    cursor.Fail(fmt::format("Unexpected words at the end of the statement: {}", cursor.Peek().text),
                "end the statement with a semicolon", cursor.Peek().begin);
}

Statement ParseDrop(Cursor& cursor) {
  const auto kind = AcceptKind(cursor);
  if (!kind) return EngineStatement{};
  DropObject drop;
  drop.kind = *kind;
  drop.if_exists = cursor.AcceptWords({"IF", "EXISTS"});
  if (drop.kind == DeclaredKind::kModel) {
    const ModelReference model = cursor.ExpectModel();
    if (model.alias)
      cursor.Fail("DROP MODEL takes a version, not an alias: " + *model.alias,
                  fmt::format("write DROP MODEL {0}@2, or ALTER MODEL {0} UNSET ALIAS {1}",
                              model.name.ToString(), *model.alias),
                  model.offset);
    drop.name = model.name;
    drop.version = model.version;
  } else {
    drop.name = cursor.ExpectName("a name");
  }
  ExpectEnd(cursor);
  return drop;
}

Statement ParseShow(Cursor& cursor) {
  Show show;
  if (cursor.AcceptWords({"STREAMING", "TABLES"}))
    show.kind = ShowKind::kStreamingTables;
  else if (cursor.AcceptWords({"MATERIALIZED", "VIEWS"}))
    show.kind = ShowKind::kMaterializedViews;
  else if (cursor.Accept("FLOWS"))
    show.kind = ShowKind::kFlows;
  else if (cursor.Accept("MODELS"))
    show.kind = ShowKind::kModels;
  else if (cursor.Accept("SERVICES"))
    show.kind = ShowKind::kServices;
  else if (cursor.Accept("RUNS"))
    show.kind = ShowKind::kRuns;
  else
    return EngineStatement{};
  ExpectEnd(cursor);
  return show;
}

Statement ParseDescribe(Cursor& cursor) {
  // DESCRIBE model is DuckDB's description of a table called model; ours names an object after the
  // kind.
  const auto kind = AcceptKind(cursor);
  if (!kind || !cursor.Peek().IsName()) return EngineStatement{};
  Describe describe;
  describe.kind = *kind;
  describe.object = cursor.ExpectModel();
  ExpectEnd(cursor);
  return describe;
}

Statement ParseExport(Cursor& cursor) {
  if (!cursor.Accept("MODEL")) return EngineStatement{};
  ExportModel exported;
  exported.model = cursor.ExpectModel();
  cursor.Expect("OPTIONS", "after the model in EXPORT MODEL");
  exported.options = cursor.ParseOptions("after OPTIONS");
  ExpectEnd(cursor);
  return exported;
}

Statement ParseAlter(Cursor& cursor) {
  if (!cursor.Accept("MODEL")) return EngineStatement{};
  AlterModel alter;
  alter.model = cursor.ExpectModel();
  const bool set = cursor.Accept("SET");
  if (!set && !cursor.Accept("UNSET"))
    cursor.FailExpected({"SET", "UNSET"}, "after the model in ALTER MODEL");
  if (set && cursor.Accept("OPTIONS")) {
    alter.options = cursor.ParseOptions("after OPTIONS");
  } else {
    cursor.Expect("ALIAS", set ? "or OPTIONS, after SET" : "after UNSET");
    alter.alias_offset = cursor.Peek().begin;
    alter.alias = ToLower(cursor.ExpectIdentifier("an alias"));
    alter.unset = !set;
    if (cursor.Accept("REASON")) alter.reason = cursor.ExpectString("the reason");
  }
  ExpectEnd(cursor);
  return alter;
}

Statement ParseRollback(Cursor& cursor) {
  if (!cursor.Accept("MODEL")) return EngineStatement{};
  RollbackModel rollback;
  rollback.model = cursor.ExpectName("the model's name");
  if (cursor.Accept("TO")) rollback.version = cursor.ExpectVersion();
  if (cursor.Accept("REASON")) rollback.reason = cursor.ExpectString("the reason");
  ExpectEnd(cursor);
  return rollback;
}

}  // namespace

Statement Parse(std::string_view text, const StatementPlace& place) {
  Cursor cursor(text, place);
  if (cursor.Accept("CREATE")) return ParseCreate(cursor);
  if (cursor.Accept("DROP")) return ParseDrop(cursor);
  if (cursor.Accept("SHOW")) return ParseShow(cursor);
  if (cursor.Accept("DESCRIBE") || cursor.Accept("DESC")) return ParseDescribe(cursor);
  if (cursor.Accept("EXPORT")) return ParseExport(cursor);
  if (cursor.Accept("ALTER")) return ParseAlter(cursor);
  if (cursor.Accept("ROLLBACK")) return ParseRollback(cursor);
  return EngineStatement{};
}

Statement Parse(std::string_view text, std::string_view file) {
  return Parse(text, StatementPlace{file, {}, 0});
}

}  // namespace braid::syntax
