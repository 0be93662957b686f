// SPDX-License-Identifier: Apache-2.0
// Preprocessing of texts and lists of them: encoders, crosses, hashes, n-grams.
#include <fmt/format.h>

#include <algorithm>

#include "session/preprocess_internal.h"
#include "syntax/format.h"
#include "syntax/select_list.h"

namespace braid::session {

using syntax::FillIn;
using syntax::MappedText;

namespace {

MappedText Own(std::string_view sql) {
  MappedText text;
  text.Append(sql);
  return text;
}

struct VocabularyBounds {
  int64_t top;
  int64_t threshold;
};

// The arguments top_k and frequency_threshold.
VocabularyBounds BoundsOf(const PreprocessingCall& call, size_t at) {
  return {call.Integer(at, 1, 999'999, 32'000), call.Integer(at + 1, 0, INT64_MAX, 5)};
}

// The most frequent texts, in alphabetical order; ties are won by the alphabet.
MappedText Vocabulary(const PreprocessingCall& call, size_t at, const MappedText& values) {
  const VocabularyBounds bounds = BoundsOf(call, at);
  return call.Statistic(
      fmt::format(
          "SELECT coalesce(list(v ORDER BY v), []) FROM (SELECT v FROM $1 AS __v WHERE v "
          "IS NOT NULL GROUP BY v HAVING count(*) >= {} ORDER BY count(*) DESC, v LIMIT {})",
          bounds.threshold, bounds.top),
      values);
}

// A text counts once for each list that has it.
MappedText ListVocabulary(const PreprocessingCall& call) {
  return Vocabulary(call, 1, FillIn("unnest(list_distinct($1))", {call.Texts(0)}));
}

// Every index of the texts in the vocabulary with a value, SQL over the index __k and all indices
// __i, and over weights by index, __r.w; what is not in it has 0.
MappedText Indices(const PreprocessingCall& call, std::string_view value,
                   const MappedText& weights = Own("NULL")) {
  return FillIn(
      "list_transform([{'l': $1, 'v': $2, 'w': $4}], lambda __r: "
      "list_transform([list_transform(__r.l, lambda __e: coalesce(list_position(__r.v, __e), 0))], "
      "lambda __i: list_transform(list_sort(list_distinct(__i)), lambda __k: {'index': CAST(__k AS "
      "BIGINT), 'value': CAST($3 AS DOUBLE)}))[1])[1]",
      {call.Texts(0), ListVocabulary(call), Own(value), weights});
}

constexpr std::string_view kHowOften = "len(list_filter(__i, lambda __j: __j = __k))";

}  // namespace

MappedText OneHotEncoder(const PreprocessingCall& call) {
  const bool drop = call.Choice(1, {"none", "most_frequent"}) == 1;
  const MappedText s = call.Text(0);
  const MappedText index =
      FillIn("coalesce(list_position($1, $2), 0)", {Vocabulary(call, 2, s), s});
  if (!drop) return FillIn("[{'index': CAST($1 AS BIGINT), 'value': CAST(1 AS DOUBLE)}]", {index});
  return FillIn(
      "[{'index': CAST($1 AS BIGINT), 'value': CASE WHEN $2 IS NOT DISTINCT FROM $3 AND $2 IS NOT "
      "NULL THEN CAST(0 AS DOUBLE) ELSE CAST(1 AS DOUBLE) END}]",
      {index, s,
       call.Statistic("SELECT v FROM $1 AS __v WHERE v IS NOT NULL GROUP BY v ORDER BY count(*) "
                      "DESC, v LIMIT 1",
                      s)});
}

MappedText LabelEncoder(const PreprocessingCall& call) {
  const MappedText s = call.Text(0);
  return FillIn("CAST(coalesce(list_position($1, $2), 0) AS BIGINT)", {Vocabulary(call, 1, s), s});
}

MappedText MultiHotEncoder(const PreprocessingCall& call) { return Indices(call, "1"); }

MappedText BagOfWords(const PreprocessingCall& call) { return Indices(call, kHowOften); }

// ln(1 + documents / (1 + documents with the text)); the weight of what is not in the vocabulary is
// the mean of the others, as BigQuery ML's published example has it.
MappedText TfIdf(const PreprocessingCall& call) {
  const VocabularyBounds bounds = BoundsOf(call, 1);
  const MappedText weights = call.Statistic(
      fmt::format(
          "SELECT list_concat([coalesce(avg(w), 0)], coalesce(list(w ORDER BY t), [])) FROM "
          "(SELECT t, ln(1 + d / (1 + count(*))) AS w FROM (SELECT unnest(list_distinct(v)) "
          "AS t, d FROM (SELECT v, count(*) OVER () AS d FROM $1 AS __v WHERE v IS NOT "
          "NULL)) WHERE t IS NOT NULL GROUP BY t, d HAVING count(*) >= {} ORDER BY count(*) "
          "DESC, t LIMIT {})",
          bounds.threshold, bounds.top),
      call.Texts(0));
  return Indices(call, fmt::format("{} / len(__i) * __r.w[__k + 1]", kHowOften), weights);
}

std::string FieldProducts::NameOf(const std::vector<size_t>& product) const {
  std::string name;
  for (const size_t field : product) name += (name.empty() ? "" : "_") + names[field];
  return name;
}

FieldProducts ProductsOf(const PreprocessingCall& call, int64_t minimum_degree, bool repeat) {
  constexpr size_t kMaximumFields = 10;
  FieldProducts fields;
  const syntax::SourceText& argument = call.argument(0);
  for (syntax::SelectItem& item : syntax::ParseStruct(argument.text)) {
    item.expression.offset += argument.offset;
    if (item.name.empty())
      call.Fail(Error(ErrorCode::kSyntax, "A field has no name", "write expression AS name"),
                item.expression.offset);
    if (std::find(fields.names.begin(), fields.names.end(), item.name) != fields.names.end())
      call.Fail(Error(ErrorCode::kSyntax, "A field is given twice: " + item.name, "name it anew"),
                item.expression.offset);
    fields.names.push_back(item.name);
    fields.expressions.push_back(item.expression);
  }
  if (fields.names.empty() || fields.names.size() > kMaximumFields)
    call.Refuse(0, "a STRUCT(expression AS name, …) of at most 10 fields");
  const auto degree = static_cast<size_t>(call.Integer(1, minimum_degree, 4, 2));
  std::vector<std::vector<size_t>> last = {{}};
  for (size_t size = 1; size <= degree; ++size) {
    std::vector<std::vector<size_t>> next;
    for (const std::vector<size_t>& shorter : last) {
      const size_t first = shorter.empty() ? 0 : shorter.back() + (repeat ? 0 : 1);
      for (size_t field = first; field < fields.names.size(); ++field) {
        next.push_back(shorter);
        next.back().push_back(field);
      }
    }
    if (size >= static_cast<size_t>(minimum_degree))
      fields.products.insert(fields.products.end(), next.begin(), next.end());
    last = std::move(next);
  }
  return fields;
}

MappedText FeatureCross(const PreprocessingCall& call) {
  const FieldProducts fields = ProductsOf(call, 2, false);
  if (fields.products.empty()) call.Refuse(0, "a STRUCT of two fields or more");
  std::vector<MappedText> texts;
  for (const syntax::SourceText& expression : fields.expressions)
    texts.push_back(FillIn("CAST(($1) AS VARCHAR)", {call.Sql(expression)}));
  MappedText text = Own("{");
  for (const std::vector<size_t>& product : fields.products) {
    text.Append(fmt::format("{}{}: ", text.text().size() > 1 ? ", " : "",
                            syntax::QuoteString(fields.NameOf(product))));
    for (size_t i = 0; i < product.size(); ++i) {
      if (i > 0) text.Append(" || '_' || ");
      text.Append(texts[product[i]]);
    }
  }
  text.Append("}");
  return text;
}

// MD5, so that a text has the same bucket wherever and whenever it is met.
MappedText HashBucketize(const PreprocessingCall& call) {
  const int64_t buckets = call.Integer(1, 0, INT64_MAX, 0);
  return FillIn(buckets == 0 ? std::string("CAST(md5_number_lower($1) // 2 AS BIGINT)")
                             : fmt::format("CAST(md5_number_lower($1) % {} AS BIGINT)", buckets),
                {call.Text(0)});
}

MappedText Ngrams(const PreprocessingCall& call) {
  constexpr int64_t kMaximumSize = 100;
  const OptionValue literal = call.Literal(1);
  std::vector<int64_t> sizes;
  if (const auto* size = std::get_if<int64_t>(&literal.value)) sizes = {*size, *size};
  if (const auto* list = std::get_if<OptionValue::List>(&literal.value))
    for (const OptionValue& item : *list)
      if (const auto* size = std::get_if<int64_t>(&item.value)) sizes.push_back(*size);
  if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < sizes[0] || sizes[1] > kMaximumSize)
    call.Refuse(1, "a size from 1 to 100, or [from, to]");
  const OptionValue separator = call.count() > 2 ? call.Literal(2) : OptionValue{" "};
  if (!std::holds_alternative<std::string>(separator.value)) call.Refuse(2, "a string");
  return FillIn(
      fmt::format(
          "list_transform([$1], lambda __l: list_filter(flatten(list_transform("
          "range(1, len(__l) + 1), lambda __b: list_transform(range({}, {}), lambda __n: "
          "CASE WHEN __b + __n <= len(__l) + 1 THEN array_to_string(__l[__b:__b + __n - 1], "
          "{}) END))), lambda __g: __g IS NOT NULL))[1]",
          sizes[0], sizes[1] + 1, syntax::QuoteString(std::get<std::string>(separator.value))),
      {call.Texts(0)});
}

}  // namespace braid::session
