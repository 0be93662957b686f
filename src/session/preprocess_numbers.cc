// SPDX-License-Identifier: Apache-2.0
// Preprocessing of numbers: scalers, imputation, buckets, polynomials.
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "ml/option_reader.h"
#include "session/preprocess_internal.h"
#include "session/scoring_call.h"
#include "syntax/format.h"
#include "syntax/token.h"

namespace braid::session {

using syntax::FillIn;
using syntax::MappedText;

namespace {

// A divisor that leaves a column without spread as it is; NULL stands for one row alone.
std::string Spread(std::string_view statistic) {
  return fmt::format("SELECT coalesce(nullif({}, 0), 1) FROM $1 AS __v", statistic);
}

// Quantiles are values that occur: BigQuery ML's published examples agree.
std::string Quantile(double fraction) { return fmt::format("quantile_disc(v, {})", fraction); }

MappedText Own(std::string_view sql) {
  MappedText text;
  text.Append(sql);
  return text;
}

size_t Format(const PreprocessingCall& call, size_t at) {
  return call.Choice(at, {"bucket_names", "bucket_ranges", "bucket_ranges_json"});
}

// Shown without a trailing .0.
std::string Shown(std::string_view value) {
  return fmt::format("regexp_replace(CAST({} AS VARCHAR), '\\.0$', '')", value);
}

// The name of bucket __b of __r.s, in each format.
std::string BucketName(size_t format) {
  if (format == 0) return "'bin_' || __b";
  const auto end = [](std::string_view where, std::string_view infinity, std::string_view open,
                      std::string_view value) {
    return fmt::format("CASE WHEN {} THEN '{}' ELSE '{}' || {} END", where, infinity, open,
                       Shown(value));
  };
  constexpr std::string_view kFirst = "__b = 1";
  constexpr std::string_view kLast = "__b > len(__r.s)";
  if (format == 1)
    return fmt::format("{} || ', ' || {} || ')'", end(kFirst, "(-inf", "[", "__r.s[__b - 1]"),
                       end(kLast, "+inf", "", "__r.s[__b]"));
  return fmt::format(R"('{{"start": "' || {} || '", "end": "' || {} || '"}}')",
                     end(kFirst, "-Infinity", "", "__r.s[__b - 1]"),
                     end(kLast, "Infinity", "", "__r.s[__b]"));
}

// `splits`: SQL of an ascending list. A bucket has its lower end and not its upper one.
MappedText BucketSql(const MappedText& x, const MappedText& splits, size_t format) {
  return FillIn(
      "list_transform([{'x': $1, 's': $2}], lambda __r: list_transform([CASE WHEN __r.x IS NULL OR "
      "__r.s IS NULL THEN NULL ELSE len(list_filter(__r.s, lambda __t: __r.x >= __t)) + 1 END], "
      "lambda __b: $3)[1])[1]",
      {x, splits, Own(BucketName(format))});
}

}  // namespace

MappedText StandardScaler(const PreprocessingCall& call) {
  const MappedText x = call.Number(0);
  return FillIn("($1 - $2) / $3", {x, call.Statistic("SELECT avg(v) FROM $1 AS __v", x),
                                   call.Statistic(Spread("stddev_samp(v)"), x)});
}

MappedText MinMaxScaler(const PreprocessingCall& call) {
  const MappedText x = call.Number(0);
  const MappedText scaled =
      FillIn("(($1 - $2) / $3)", {x, call.Statistic("SELECT min(v) FROM $1 AS __v", x),
                                  call.Statistic(Spread("max(v) - min(v)"), x)});
  return FillIn("CASE WHEN $1 < 0 THEN 0 WHEN $1 > 1 THEN 1 ELSE $1 END", {scaled});
}

MappedText MaxAbsScaler(const PreprocessingCall& call) {
  const MappedText x = call.Number(0);
  return FillIn("$1 / $2", {x, call.Statistic(Spread("max(abs(v))"), x)});
}

MappedText RobustScaler(const PreprocessingCall& call) {
  const MappedText x = call.Number(0);
  const std::vector<double> range = call.Numbers(1).value_or(std::vector<double>{25, 75});
  if (range.size() != 2 || range[0] <= 0 || range[1] >= 100)
    call.Refuse(1, "a list of two percentages between 0 and 100");
  MappedText scaled = x;
  if (call.Boolean(2, true))
    scaled = FillIn("($1 - $2)",
                    {x, call.Statistic(fmt::format("SELECT {} FROM $1 AS __v", Quantile(0.5)), x)});
  if (call.Boolean(3, true))
    scaled = FillIn(
        "$1 / $2",
        {scaled,
         call.Statistic(Spread(Quantile(range[1] / 100) + " - " + Quantile(range[0] / 100)), x)});
  return scaled;
}

MappedText Imputer(const PreprocessingCall& call) {
  const size_t strategy = call.Choice(1, {"mean", "median", "most_frequent"});
  if (strategy == 2) {
    const MappedText value = call.Sql(0);
    return FillIn("coalesce(($1), $2)",
                  {value, call.Statistic("SELECT v FROM $1 AS __v WHERE v IS NOT NULL GROUP BY v "
                                         "ORDER BY count(*) DESC, v LIMIT 1",
                                         value)});
  }
  const MappedText x = call.Number(0);
  return FillIn(
      "coalesce($1, $2)",
      {x, call.Statistic(
              fmt::format("SELECT {}(v) FROM $1 AS __v", strategy == 0 ? "avg" : "median"), x)});
}

MappedText Bucketize(const PreprocessingCall& call) {
  std::vector<double> splits = *call.Numbers(1);
  if (call.Boolean(2, false)) {
    if (splits.size() < 3) call.Refuse(1, "a list of three numbers or more without its boundaries");
    splits = {splits.begin() + 1, splits.end() - 1};
  }
  std::string list;
  for (const double split : splits) list += (list.empty() ? "[" : ", ") + NumberSql(split);
  return BucketSql(call.Number(0), Own(list + "]"), Format(call, 3));
}

MappedText QuantileBucketize(const PreprocessingCall& call) {
  const MappedText x = call.Number(0);
  const int64_t buckets = call.Integer(1, 2, 100'000, 2);
  const MappedText splits = call.Statistic(
      fmt::format("SELECT list_sort(list_distinct(quantile_disc(v, list_transform(range(1, {0}), "
                  "lambda i: i / {0}::DOUBLE)))) FROM $1 AS __v",
                  buckets),
      x);
  return BucketSql(x, splits, Format(call, 2));
}

MappedText Normalizer(const PreprocessingCall& call) {
  double p = 2;
  if (call.count() > 1) {
    const OptionValue literal = call.Literal(1);
    const auto* text = std::get_if<std::string>(&literal.value);
    const std::optional<double> number = ml::AsNumber(literal);
    if (text != nullptr &&
        (EqualsIgnoringCase(*text, "inf") || EqualsIgnoringCase(*text, "+inf"))) {
      p = INFINITY;
    } else if (number && (*number == 0 || *number >= 1)) {
      p = *number;
    } else {
      call.Refuse(1, "0, 1 or more, or 'inf'");
    }
  }
  const std::string norm =
      std::isinf(p) ? "list_max(list_transform(__r.l, lambda __e: abs(__e)))"
      : p == 0      ? "CAST(len(list_filter(__r.l, lambda __e: __e != 0)) AS DOUBLE)"
      : p == 2      ? "sqrt(list_sum(list_transform(__r.l, lambda __e: __e * __e)))"
                    : fmt::format(
                     "pow(list_sum(list_transform(__r.l, lambda __e: pow(abs(__e), {0}))), "
                          "1 / {0})",
                     NumberSql(p));
  return FillIn(
      "list_transform([{'l': CAST(($1) AS DOUBLE[])}], lambda __r: list_transform([{'l': __r.l, "
      "'n': coalesce(nullif($2, 0), 1)}], lambda __q: list_transform(__q.l, lambda __e: __e / "
      "__q.n))[1])[1]",
      {call.Sql(0), Own(norm)});
}

MappedText PolynomialExpand(const PreprocessingCall& call) {
  const FieldProducts fields = ProductsOf(call, 1, true);
  std::vector<MappedText> numbers;
  for (const syntax::SourceText& expression : fields.expressions)
    numbers.push_back(call.Number(expression));
  MappedText text = Own("{");
  for (const std::vector<size_t>& product : fields.products) {
    text.Append(fmt::format("{}{}: ", text.text().size() > 1 ? ", " : "",
                            syntax::QuoteString(fields.NameOf(product))));
    for (size_t i = 0; i < product.size(); ++i) {
      if (i > 0) text.Append(" * ");
      text.Append(numbers[product[i]]);
    }
  }
  text.Append("}");
  return text;
}

}  // namespace braid::session
