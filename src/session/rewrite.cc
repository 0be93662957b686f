// SPDX-License-Identifier: Apache-2.0
#include "session/rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <variant>
#include <vector>

#include "base/error.h"
#include "session/maintenance.h"
#include "session/ml_sql.h"
#include "session/service_sql.h"
#include "syntax/format.h"
#include "syntax/query.h"

namespace braid::session {

namespace {

using syntax::MappedText;

class Rewriter {
 public:
  Rewriter(std::string_view whole, RewriteContext& context) : whole_(whole), context_(context) {}

  // Rewrites whole_[begin, end).
  MappedText Rewrite(size_t begin, size_t end) {
    const std::string_view text = whole_.substr(begin, end - begin);
    const syntax::QueryExtensions found = syntax::FindExtensions(text);
    struct Piece {
      size_t begin;
      size_t end;
      MappedText text;
    };
    std::vector<Piece> pieces;
    for (const syntax::MlFunction& function : found.functions) RefuseFunction(function, begin);
    for (const syntax::MlCall& call : found.calls)
      pieces.push_back({call.begin, call.end, RewriteCall(call, begin)});
    for (const syntax::StreamReference& stream : found.streams)
      pieces.push_back({stream.begin, stream.end, RewriteStream(stream, begin)});
    for (const syntax::ServiceCall& call : found.services)
      pieces.push_back({call.begin, call.end, RewriteService(call, begin)});
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

  void RefuseFunction(const syntax::MlFunction& function, size_t base) const {
    Fail(Error(ErrorCode::kNotSupported,
               fmt::format("ML function is not available: ML.{}", function.name),
               "available here: ML.PREDICT, ML.EVALUATE, ML.WEIGHTS with MODEL as their first "
               "argument"),
         base + function.begin);
  }

  // The rows given to a call, as a parenthesised query.
  MappedText RowsOf(const std::optional<syntax::Name>& table,
                    const std::optional<syntax::SourceText>& query, size_t base) {
    MappedText rows;
    if (table) {
      rows.Append("(SELECT * FROM ", base + table->offset);
      rows.Append(table->Quoted(), base + table->offset);
      rows.Append(")");
    } else if (query) {
      rows.Append("(");
      rows.Append(Rewrite(base + query->offset, base + query->offset + query->text.size()));
      rows.Append("\n)");  // the query may end in a comment
    }
    return rows;
  }

  MappedText RewriteCall(const syntax::MlCall& call, size_t base) {
    const catalog::ModelVersion* version = nullptr;
    try {
      version = &context_.state.Resolve(call.model);
    } catch (const Error& error) {
      Fail(error, base + call.model.offset);
    }
    context_.resolved_models[version->model] = version->version;
    const auto stored = context_.models.Get(version->artefact_sha256);
    const BoundModel model{*version, *stored};
    const bool has_rows = call.table.has_value() || call.query.has_value();
    try {
      if (call.function == "PREDICT" && has_rows)
        return PredictSql(model, RowsOf(call.table, call.query, base),
                          ParsePredictSettings(call.settings));
      if (call.function == "EVALUATE" && has_rows)
        return EvaluateSql(model, RowsOf(call.table, call.query, base),
                           ParsePredictSettings(call.settings));
    } catch (const Error& error) {
      Fail(error, base + call.begin);
    }
    MappedText text;
    if (call.function == "EVALUATE") {
      text.Append(StoredEvaluationSql(model), base + call.begin);
    } else if (call.function == "WEIGHTS" && !has_rows) {
      text.Append(WeightsSql(model, Standardize(call, base)), base + call.begin);
    } else if (call.function == "PREDICT" || call.function == "WEIGHTS") {
      Fail(Error(ErrorCode::kSyntax, fmt::format("Wrong arguments of ML.{}", call.function),
                 call.function == "PREDICT"
                     ? "write ML.PREDICT(MODEL m, TABLE t) or ML.PREDICT(MODEL m, (SELECT …))"
                     : "write ML.WEIGHTS(MODEL m [, STRUCT(TRUE AS standardize)])"),
           base + call.begin);
    } else {
      Fail(Error(ErrorCode::kNotSupported,
                 fmt::format("ML function is not available: ML.{}", call.function),
                 "available: ML.PREDICT, ML.EVALUATE, ML.WEIGHTS"),
           base + call.function_offset);
    }
    return text;
  }

  bool Standardize(const syntax::MlCall& call, size_t base) const {
    bool standardize = false;
    for (const Option& option : call.settings) {
      const bool* value = std::get_if<bool>(&option.value.value);
      if (option.name != "standardize" || value == nullptr)
        Fail(Error(ErrorCode::kInvalidOption,
                   fmt::format("Unknown or ill-typed setting: {}", option.name),
                   "the setting is standardize (TRUE or FALSE)"),
             base + option.offset);
      standardize = *value;
    }
    return standardize;
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
    const auto& declaration = std::get<syntax::CreateService>(*service->statement);
    // The service's query is rewritten with its own positions; an error in it names the call.
    RewriteContext inner{context_.state, context_.models, {}, {}};
    MappedText result;
    try {
      const std::string body = RewriteQuery(declaration.query.text, inner).text();
      result = ServiceOverTableSql(declaration, body, RowsOf(call.table, call.query, base));
    } catch (const Error& error) {
      Fail(
          Error(error.code(), fmt::format("In service {}: {}", key, error.message()), error.hint()),
          base + call.begin);
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
