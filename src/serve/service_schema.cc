// SPDX-License-Identifier: Apache-2.0
#include "serve/service_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/text.h"
#include "serve/captured_type.h"
#include "serve/service_binding_internal.h"
#include "session/rewrite.h"
#include "syntax/format.h"
#include "syntax/source_map.h"
#include "syntax/token.h"

namespace braid::serve {

namespace {

// The byte offset of a line and column (in characters), as SpotAt counts them.
size_t OffsetOf(std::string_view text, const SourceSpot& spot) {
  size_t at = 0;
  for (int line = 1; line < spot.line; ++line) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return text.size();
    at = end + 1;
  }
  for (int column = 1; column < spot.column && at < text.size(); ++column) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

class Binding {
 public:
  Binding(const TableStates& tables, const catalog::Object& object, const catalog::State& state,
          session::ModelStore& models, engine::Connection& connection)
      : tables_(tables),
        object_(object),
        service_(DeclarationOf(object)),
        state_(state),
        models_(models),
        connection_(connection) {}

  ServiceSchema Bind() {
    schema_.name = object_.key;
    if (schema_.name.ends_with("_labelled"))
      Fail(Error(ErrorCode::kAlreadyExists,
                 "The name ends in _labelled, which names the labelled rows of a service: " +
                     schema_.name,
                 "give the service another name"),
           service_.name.offset);
    BindSettings();
    BindParameters();
    CheckQuery();
    BindBody();
    BindOutputs();
    return std::move(schema_);
  }

 private:
  [[noreturn]] void Fail(const Error& error, size_t offset) const {
    throw PlacedAt(error, object_, offset);
  }

  void BindSettings() {
    for (const Option& option : service_.options) {
      try {
        ApplyOption(option, schema_.settings);
        if (option.name == "outcome") Normalise(schema_.settings.outcome);
      } catch (const Error& error) {
        Fail(error, option.offset);
      }
    }
  }

  void Normalise(std::vector<FieldType>& fields) const {
    for (FieldType& field : fields) {
      field.sql_type = NormalisedType(connection_, field.sql_type);
      CheckCaptured("outcome " + field.name, field.sql_type, FieldRole::kInput);
    }
  }

  void BindParameters() {
    if (service_.params.empty())
      Fail(Error(ErrorCode::kSyntax, "A service needs a parameter: " + object_.key,
                 "write CREATE SERVICE s (name type, …) AS SELECT … FROM request"),
           service_.name.offset);
    for (const syntax::ColumnDefinition& parameter : service_.params) {
      CheckName("parameter", parameter.name, schema_.parameters, parameter.offset);
      try {
        FieldType field{parameter.name, NormalisedType(connection_, parameter.type)};
        CheckCaptured("parameter " + field.name, field.sql_type, FieldRole::kInput);
        schema_.parameters.push_back(std::move(field));
      } catch (const Error& error) {
        Fail(Error(error.code(), error.message(), error.hint()), parameter.offset);
      }
    }
  }

  void CheckName(const std::string& what, const std::string& name,
                 const std::vector<FieldType>& before, size_t offset) const {
    for (const char* taken : {"inference_id", "error"})
      if (EqualsIgnoringCase(name, taken) && what == "output")
        Fail(Error(ErrorCode::kAlreadyExists,
                   "An output has a name that every answer uses itself: " + name,
                   "rename it: … AS another_name"),
             offset);
    if (EqualsIgnoringCase(name, "inference_id"))
      Fail(Error(ErrorCode::kAlreadyExists,
                 "A parameter has the name of a captured column: " + name, "give it another name"),
           offset);
    for (const FieldType& field : before)
      if (EqualsIgnoringCase(field.name, name))
        Fail(Error(
                 ErrorCode::kAlreadyExists,
                 fmt::format("A service has two {}s named: {}", what, name),
                 what == "output" ? "rename one of them: … AS another_name" : "rename one of them"),
             offset);
  }

  void CheckQuery() const {
    const std::vector<syntax::Token> tokens = syntax::Lex(service_.query.text, "");
    bool mentions_request = false;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      mentions_request =
          mentions_request ||
          (tokens[i].IsName() && EqualsIgnoringCase(syntax::NameOf(tokens[i]), "request"));
    }
    if (!mentions_request)
      Fail(
          Error(ErrorCode::kBinder, "The service's query does not read its request: " + object_.key,
                "read the parameters from the relation request: SELECT … FROM request"),
          service_.query.offset);
  }

  void BindBody() {
    session::RewriteContext context{state_, models_, {}, {}, nullptr, {object_.key}};
    try {
      body_ = session::RewriteQuery(service_.query.text, context);
    } catch (const Error& error) {
      const size_t within =
          error.where() ? OffsetOf(service_.query.text, *error.where()) : size_t{0};
      Fail(error, service_.query.offset + within);
    }
    schema_.body = body_.text();
    schema_.model_versions = std::move(context.resolved_models);
    schema_.tables = TablesIn(schema_.body, tables_);
  }

  void BindOutputs() {
    std::string row;
    for (const FieldType& parameter : schema_.parameters)
      row += fmt::format("{}CAST(NULL AS {}) AS {}", row.empty() ? "" : ", ", parameter.sql_type,
                         syntax::QuoteIdentifier(parameter.name));
    // As a side of a union, where names that stand twice stay as they are: in a subquery they would
    // not. A query that has its own WITH could not stand there alone.
    const std::string sql = fmt::format(
        "WITH request AS (SELECT {0}) (\n{1}\n) UNION ALL (\n{1}\n)", row, schema_.body);
    engine::StatementInfo info;
    try {
      info = connection_.DescribeStatement(sql);
    } catch (const Error& error) {
      Fail(Error(error.code(), error.message(), error.hint()),
           service_.query.offset + InQuery(sql, error));
    }
    for (size_t i = 0; i < info.column_names.size(); ++i) {
      CheckName("output", info.column_names[i], schema_.outputs, service_.query.offset);
      try {
        CheckCaptured("output " + info.column_names[i], info.column_types[i], FieldRole::kOutput);
      } catch (const Error& error) {
        Fail(error, service_.query.offset);
      }
      schema_.outputs.push_back({info.column_names[i], info.column_types[i]});
    }
  }

  // Where in the query an error of the statement made from it lies.
  size_t InQuery(const std::string& sql, const Error& error) const {
    const size_t body_at = sql.find(schema_.body);
    if (!error.where() || body_at == std::string::npos) return 0;
    const size_t at = OffsetOf(sql, *error.where());
    if (at < body_at || at > body_at + schema_.body.size()) return 0;
    return body_.OriginalOffset(at - body_at);
  }

  const TableStates& tables_;
  const catalog::Object& object_;
  const syntax::CreateService& service_;
  const catalog::State& state_;
  session::ModelStore& models_;
  engine::Connection& connection_;
  ServiceSchema schema_;
  syntax::MappedText body_;
};

}  // namespace

const syntax::CreateService& DeclarationOf(const catalog::Object& object) {
  return std::get<syntax::CreateService>(*object.statement);
}

Error PlacedAt(const Error& error, const catalog::Object& object, size_t offset) {
  SourceSpot spot = SpotAt(object.definition, offset, object.file);
  if (object.line > 1) spot.line += static_cast<int>(object.line) - 1;
  return Error(error.code(), error.message(), error.hint(), std::move(spot));
}

ServiceSchema BindServiceTo(const TableStates& tables, const catalog::Object& object,
                            const catalog::State& state, session::ModelStore& models,
                            engine::Connection& connection) {
  ServiceSchema schema = Binding(tables, object, state, models, connection).Bind();
  const auto version = connection.Scalar(
      "SELECT coalesce(max(version), 0) FROM lake.braid.service_version WHERE service = $1",
      std::vector<engine::Value>{schema.name});
  schema.version = version.get<int64_t>();
  return schema;
}

ServiceSchema BindService(const catalog::Object& object, const catalog::State& state,
                          session::ModelStore& models, engine::Connection& connection) {
  return BindServiceTo(lake::LoadTableStates(connection), object, state, models, connection);
}

}  // namespace braid::serve
