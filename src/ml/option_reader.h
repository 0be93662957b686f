// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/option.h"

namespace braid::ml {

// Reads options by name, in any case. Every function throws kInvalidOption when the option is given
// and its value does not fit, and returns `otherwise` when it is not given. The options outlive
// the reader.
class OptionReader {
 public:
  explicit OptionReader(const std::vector<Option>& options) : options_(options) {}

  const Option* Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name) != nullptr; }

  bool Boolean(std::string_view name, bool otherwise) const;
  double AtLeast(std::string_view name, double least, double otherwise) const;
  double Above(std::string_view name, double bound, double otherwise) const;
  // `above`: the lower bound itself is not allowed.
  double Between(std::string_view name, double least, double most, double otherwise,
                 bool above = false) const;
  int64_t Integer(std::string_view name, int64_t least, int64_t otherwise) const;
  std::optional<std::string> Text(std::string_view name) const;
  std::optional<std::vector<std::string>> Texts(std::string_view name) const;

  // One of some words, in any case.
  template <typename Value>
  Value Word(std::string_view name, Value otherwise,
             std::initializer_list<std::pair<std::string_view, Value>> words) const {
    const Option* option = Find(name);
    if (option == nullptr) return otherwise;
    std::vector<std::string_view> texts;
    for (const auto& [word, value] : words) {
      if (IsWord(*option, word)) return value;
      texts.push_back(word);
    }
    RefuseWord(*option, texts);
  }

  // "The option NAME takes <what>".
  [[noreturn]] static void Refuse(const Option& option, std::string_view what);

 private:
  static bool IsWord(const Option& option, std::string_view word);
  [[noreturn]] static void RefuseWord(const Option& option,
                                      const std::vector<std::string_view>& words);
  const std::vector<Option>& options_;
};

// The number of an integer or a decimal.
std::optional<double> AsNumber(const OptionValue& value);

}  // namespace braid::ml
