// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/option.h"
#include "session/preprocess.h"

namespace braid::session {

// A preprocessing function's call while it becomes SQL.
class PreprocessingCall {
 public:
  PreprocessingCall(const syntax::MlFunction& function, std::string_view syntax,
                    const PreprocessingScope& scope)
      : function_(function), syntax_(syntax), scope_(scope) {}

  size_t count() const { return function_.arguments.size(); }
  const syntax::SourceText& argument(size_t i) const { return function_.arguments[i]; }
  syntax::MappedText Sql(const syntax::SourceText& expression) const {
    return scope_.rewrite(expression);
  }
  syntax::MappedText Sql(size_t i) const { return Sql(argument(i)); }
  syntax::MappedText Number(const syntax::SourceText& expression) const;  // NaN is NULL
  syntax::MappedText Number(size_t i) const { return Number(argument(i)); }
  syntax::MappedText Text(size_t i) const;
  syntax::MappedText Texts(size_t i) const;
  syntax::MappedText Statistic(std::string_view pattern, const syntax::MappedText& values) const {
    return scope_.statistic(pattern, values);
  }

  // Arguments that must be literals; `fallback` where they are not given.
  OptionValue Literal(size_t i) const;
  int64_t Integer(size_t i, int64_t minimum, int64_t maximum, int64_t fallback) const;
  bool Boolean(size_t i, bool fallback) const;
  // Which of the choices, in any case; the first one by default.
  size_t Choice(size_t i, std::initializer_list<std::string_view> choices) const;
  // Ascending numbers.
  std::optional<std::vector<double>> Numbers(size_t i) const;

  [[noreturn]] void Refuse(size_t i, std::string_view wanted) const;
  [[noreturn]] void Fail(const Error& error, size_t offset) const;

 private:
  const syntax::MlFunction& function_;
  std::string_view syntax_;
  const PreprocessingScope& scope_;
};

syntax::MappedText StandardScaler(const PreprocessingCall& call);
syntax::MappedText MinMaxScaler(const PreprocessingCall& call);
syntax::MappedText MaxAbsScaler(const PreprocessingCall& call);
syntax::MappedText RobustScaler(const PreprocessingCall& call);
syntax::MappedText Imputer(const PreprocessingCall& call);
syntax::MappedText Normalizer(const PreprocessingCall& call);
syntax::MappedText Bucketize(const PreprocessingCall& call);
syntax::MappedText QuantileBucketize(const PreprocessingCall& call);
syntax::MappedText PolynomialExpand(const PreprocessingCall& call);

syntax::MappedText OneHotEncoder(const PreprocessingCall& call);
syntax::MappedText LabelEncoder(const PreprocessingCall& call);
syntax::MappedText MultiHotEncoder(const PreprocessingCall& call);
syntax::MappedText BagOfWords(const PreprocessingCall& call);
syntax::MappedText TfIdf(const PreprocessingCall& call);
syntax::MappedText FeatureCross(const PreprocessingCall& call);
syntax::MappedText HashBucketize(const PreprocessingCall& call);
syntax::MappedText Ngrams(const PreprocessingCall& call);

// The fields of a STRUCT argument, and which of them make up each product of at most `degree`
// factors: by degree, then in the order of the fields.
struct FieldProducts {
  std::vector<std::string> names;
  std::vector<syntax::SourceText> expressions;
  std::vector<std::vector<size_t>> products;
  std::string NameOf(const std::vector<size_t>& product) const;  // "a_b"
};
FieldProducts ProductsOf(const PreprocessingCall& call, int64_t minimum_degree, bool repeat);

}  // namespace braid::session
