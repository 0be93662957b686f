// SPDX-License-Identifier: Apache-2.0
#include "session/rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "catalog/place.h"
#include "session/feature_sql.h"
#include "session/maintenance.h"
#include "session/preprocess.h"
#include "session/service_sql.h"
#include "session/trial_sql.h"
#include "session/validate_sql.h"
#include "syntax/format.h"
#include "syntax/query.h"
#include "syntax/query_block.h"
#include "syntax/token.h"

namespace braid::session {

namespace {

using syntax::MappedText;

class Rewriter {
 public:
  Rewriter(std::string_view whole, RewriteContext& context) : whole_(whole), context_(context) {}

  // Rewrites whole_[begin, end).
  MappedText Rewrite(size_t begin, size_t end) {
    const std::string_view text = whole_.substr(begin, end - begin);
    const syntax::QueryExtensions found =
        syntax::FindExtensions(text, [this](const syntax::Name& name) {
          return context_.state.Find(catalog::ObjectKind::kService,
                                     catalog::ObjectKey(name, catalog::ObjectKind::kService)) !=
                 nullptr;
        });
    struct Piece {
      size_t begin;
      size_t end;
      MappedText text;
    };
    std::vector<Piece> pieces;
    for (const syntax::MlFunction& function : found.functions)
      pieces.push_back({function.begin, function.end, RewriteFunction(function, begin)});
    for (const syntax::MlCall& call : found.calls)
      pieces.push_back({call.begin, call.end, RewriteCall(call, begin)});
    for (const syntax::MlRowsCall& call : found.rows_calls)
      pieces.push_back({call.begin, call.end, RewriteRowsCall(call, begin)});
    for (const syntax::StreamReference& stream : found.streams)
      pieces.push_back({stream.begin, stream.end, RewriteStream(stream, begin)});
    for (const syntax::ServiceCall& call : found.services)
      pieces.push_back({call.begin, call.end, RewriteService(call, begin)});
    for (const syntax::ServiceRequest& request : found.requests)
      pieces.push_back({request.begin, request.end, RewriteRequest(request, begin)});
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
    MappedText result;
    size_t at = 0;
    for (const Piece& piece : pieces) {
      result.AppendOriginal(text.substr(at, piece.begin - at), begin + at);
      result.Append(piece.text);
      at = piece.end;
    }
    result.AppendOriginal(text.substr(at), begin + at);
    return result;
  }

 private:
  [[noreturn]] void Fail(const Error& error, size_t offset) const {
    throw error.At(SpotAt(whole_, offset, ""));
  }

  MappedText RewriteFunction(const syntax::MlFunction& function, size_t base) {
    PreprocessingScope scope;
    scope.rewrite = [this, base](const syntax::SourceText& argument) {
      return Rewrite(base + argument.offset, base + argument.offset + argument.text.size());
    };
    scope.statistic = [this, &function, base](std::string_view pattern, const MappedText& values) {
      return Statistic(function, pattern, values, base + function.begin);
    };
    scope.fail = [this, base](const Error& error, size_t offset) { Fail(error, base + offset); };
    return PreprocessingSql(function, scope);
  }

  // A query of its own over the rows of the SELECT that the function stands in: windows could not
  // be nested in one another.
  MappedText Statistic(const syntax::MlFunction& function, std::string_view pattern,
                       const MappedText& values, size_t at) {
    const syntax::QueryBlock block = syntax::FindBlock(whole_, at);
    const auto refuse = [&](std::string_view what) {
      Fail(
          Error(ErrorCode::kNotSupported, fmt::format("ML.{} cannot stand {}", function.name, what),
                "put that query into FROM (…), and the function around it"),
          at);
    };
    if (block.is_grouped) refuse("in a query with GROUP BY or HAVING");
    if (block.is_sampled) refuse("in a query with a sample");
    if (block.has_qualify) refuse("in a query with QUALIFY");
    if (at >= block.from_begin && at < block.from_end) refuse("in FROM, ON or WHERE");
    const std::string_view from =
        whole_.substr(block.from_begin, block.from_end - block.from_begin);
    if (!syntax::FindExtensions(from).streams.empty()) refuse("over a STREAM");
    MappedText rows;
    rows.Append("(SELECT ", at);
    rows.Append(values);
    rows.Append(" AS v ");
    rows.Append(Rewrite(block.from_begin, block.from_end));
    rows.Append("\n)");
    return syntax::FillIn(fmt::format("({})", pattern), {rows});
  }

  // The rows given to a call, as a parenthesised query.
  MappedText RowsOf(const syntax::RowsArgument& argument, size_t base) {
    MappedText rows;
    if (argument.table) {
      rows.Append("(SELECT * FROM ", base + argument.table->offset);
      rows.Append(argument.table->Quoted(), base + argument.table->offset);
      rows.Append(")");
    } else if (argument.query) {
      const size_t begin = base + argument.query->offset;
      rows.Append("(");
      rows.Append(Rewrite(begin, begin + argument.query->text.size()));
      rows.Append("\n)");  // the query may end in a comment
    }
    return rows;
  }

  const catalog::ModelVersion& Resolve(const syntax::ModelReference& reference, size_t base) {
    try {
      const catalog::ModelVersion& version = context_.state.Resolve(reference);
      context_.resolved_models[version.model] = version.version;
      return version;
    } catch (const Error& error) {
      Fail(error, base + reference.offset);
    }
  }

  MappedText RewriteCall(const syntax::MlCall& call, size_t base) {
    std::vector<const catalog::ModelVersion*> versions;
    for (const syntax::ModelReference& reference : call.models)
      versions.push_back(&Resolve(reference, base));
    std::vector<GivenRows> rows;
    for (const syntax::RowsArgument& argument : call.rows) {
      rows.push_back({RowsOf(argument, base), argument.table.has_value(), {}});
      if (NeedsColumns(call.function))
        rows.back().columns = ColumnsOf(call.function, rows.back(), base + call.begin);
    }
    try {
      if (IsValidation(call.function)) {
        if (versions.size() > 1 || rows.size() > 1)
          throw Error(
              ErrorCode::kSyntax, "Wrong arguments of ML." + call.function,
              fmt::format("write ML.{0}(MODEL m) or ML.{0}(MODEL m, TABLE t)", call.function));
        return ValidationSql(call.function, *versions[0], context_.models,
                             rows.empty() ? TrainingRowsOf(*versions[0]) : rows[0].sql,
                             call.settings, context_.connection);
      }
      return TrialFunctionSql(call.function, versions, context_.models, rows, call.settings);
    } catch (const Error& error) {
      Fail(error, base + PlaceOf(error, call));
    }
  }

  // The rows that the query of a version's training gives now.
  MappedText TrainingRowsOf(const catalog::ModelVersion& version) {
    RewriteContext inner{context_.state, context_.models, {}, {}, context_.connection};
    MappedText rows;
    rows.Append("(" + RewriteQuery(version.query, inner).text() + "\n)");
    return rows;
  }

  MappedText RewriteRowsCall(const syntax::MlRowsCall& call, size_t base) {
    std::vector<GivenRows> rows;
    for (const syntax::RowsArgument& argument : call.rows) {
      rows.push_back({RowsOf(argument, base), argument.table.has_value(), {}});
      rows.back().columns = ColumnsOf(call.function, rows.back(), base + call.begin);
    }
    try {
      return RowsFunctionSql(call.function, rows, call.settings);
    } catch (const Error& error) {
      Fail(error, base + PlaceOf(error, call));
    }
  }

  // The columns of rows that stand at a place, where the tables of WITH before it are seen.
  std::vector<lake::Column> ColumnsOf(std::string_view function, const GivenRows& rows, size_t at) {
    if (context_.connection == nullptr)
      Fail(Error(ErrorCode::kNotSupported, fmt::format("ML.{} cannot stand here", function),
                 "it needs to know the columns of its rows: keep its result as a table, and read "
                 "that"),
           at);
    MappedText query;
    for (const syntax::SourceText& table : syntax::CommonTables(whole_, at)) {
      query.Append(query.text().empty() ? "WITH RECURSIVE " : ", ", table.offset);
      query.Append(Rewrite(table.offset, table.offset + table.text.size()));
    }
    query.Append(" FROM ", at);
    query.Append(rows.sql);
    std::vector<lake::Column> columns;
    try {
      const engine::StatementInfo info = context_.connection->DescribeStatement(query.text());
      for (size_t i = 0; i < info.column_names.size(); ++i)
        columns.push_back({info.column_names[i], info.column_types[i]});
    } catch (const Error& error) {
      const size_t position =
          error.where() ? catalog::OffsetOf(query.text(), *error.where()) : query.text().size();
      Fail(Error(error.code(), error.message(), error.hint()), query.OriginalOffset(position));
    }
    return columns;
  }

  // Errors of settings name the setting; those of the function its name.
  template <typename Call>
  static size_t PlaceOf(const Error& error, const Call& call) {
    for (const Option& option : call.settings)
      if (ToLower(error.message()).find(option.name) != std::string::npos) return option.offset;
    return error.code() == ErrorCode::kNotSupported ? call.function_offset : call.begin;
  }

  MappedText RewriteStream(const syntax::StreamReference& stream, size_t base) {
    if (!context_.stream)
      Fail(Error(ErrorCode::kNotSupported, "STREAM stands outside a streaming table or flow",
                 "read the table without STREAM here; STREAM belongs into CREATE STREAMING TABLE "
                 "or CREATE FLOW"),
           base + stream.begin);
    MappedText text;
    text.Append(context_.stream(stream), base + stream.begin);
    return text;
  }

  MappedText RewriteService(const syntax::ServiceCall& call, size_t base) {
    const std::string key = catalog::ObjectKey(call.name, catalog::ObjectKind::kService);
    const catalog::Object* service = context_.state.Find(catalog::ObjectKind::kService, key);
    if (service == nullptr) {
      std::vector<std::string> known;
      for (const auto& entry :
           context_.state.objects[static_cast<size_t>(catalog::ObjectKind::kService)])
        known.push_back(entry.first);
      const auto close = ClosestMatch(key, known);
      Fail(Error(ErrorCode::kServiceNotFound, fmt::format("Service not found: {}", key),
                 close ? fmt::format("did you mean {}?", *close)
                       : "SHOW SERVICES lists the services"),
           base + call.begin);
    }
    MappedText rows = RowsOf(call.rows, base);
    return WrittenOut(*service, base + call.begin,
                      [&](const syntax::CreateService& declaration, const std::string& body) {
                        return ServiceOverTableSql(declaration, body, rows);
                      });
  }

  MappedText RewriteRequest(const syntax::ServiceRequest& request, size_t base) {
    const std::string key = catalog::ObjectKey(request.name, catalog::ObjectKind::kService);
    const catalog::Object& service = *context_.state.Find(catalog::ObjectKind::kService, key);
    const auto& parameters = std::get<syntax::CreateService>(*service.statement).params;
    std::vector<MappedText> values(parameters.size());
    size_t position = 0;
    for (const syntax::ServiceRequest::Argument& argument : request.arguments) {
      const size_t begin = base + argument.value.offset;
      const size_t at =
          argument.parameter ? PlaceOf(*argument.parameter, parameters, begin) : position++;
      if (at >= parameters.size())
        Fail(Error(ErrorCode::kBinder,
                   fmt::format("Service {} has {} parameters", key, parameters.size())),
             begin);
      if (!values[at].text().empty())
        Fail(Error(ErrorCode::kBinder, "A parameter is given twice: " + parameters[at].name),
             begin);
      values[at] = Rewrite(begin, begin + argument.value.text.size());
    }
    return WrittenOut(service, base + request.begin,
                      [&](const syntax::CreateService& declaration, const std::string& body) {
                        return ServiceOverValuesSql(declaration, body, values,
                                                    request.stands_first);
                      });
  }

  size_t PlaceOf(const std::string& name, const std::vector<syntax::ColumnDefinition>& parameters,
                 size_t offset) const {
    std::vector<std::string> known;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (EqualsIgnoringCase(parameters[i].name, name)) return i;
      known.push_back(parameters[i].name);
    }
    const auto close = ClosestMatch(name, known);
    Fail(Error(ErrorCode::kBinder, "The service has no such parameter: " + name,
               close ? fmt::format("did you mean {}?", *close)
                     : fmt::format("it has {}", fmt::join(known, ", "))),
         offset);
  }

  // The service's query is rewritten with its own positions; an error in it names the call.
  template <typename Make>
  MappedText WrittenOut(const catalog::Object& service, size_t offset, Make make) {
    const std::vector<std::string>& asked = context_.services;
    if (std::find(asked.begin(), asked.end(), service.key) != asked.end())
      Fail(Error(ErrorCode::kCycle, fmt::format("A service asks itself: {} → {}",
                                                fmt::join(asked, " → "), service.key)),
           offset);
    const auto& declaration = std::get<syntax::CreateService>(*service.statement);
    RewriteContext inner{context_.state, context_.models, {}, {}, nullptr, asked};
    inner.services.push_back(service.key);
    MappedText result;
    try {
      result = make(declaration, RewriteQuery(declaration.query.text, inner).text());
    } catch (const Error& error) {
      Fail(Error(error.code(), fmt::format("In service {}: {}", service.key, error.message()),
                 error.hint()),
           offset);
    }
    for (const auto& [model, version] : inner.resolved_models)
      context_.resolved_models[model] = version;
    return result;
  }

  std::string_view whole_;
  RewriteContext& context_;
};

}  // namespace

MappedText RewriteQuery(std::string_view query, RewriteContext& context) {
  RefuseMaintenance(query);
  return Rewriter(query, context).Rewrite(0, query.size());
}

}  // namespace braid::session
