// SPDX-License-Identifier: Apache-2.0
#include "serve/request_slots.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"
#include "engine/functions.h"

namespace braid::serve {

namespace {

struct Bound {
  const RequestSlots::Slot* slot = nullptr;
  size_t index = 0;
};

size_t Number(const std::optional<std::string>& text) {
  size_t number = 0;
  if (!text) throw Error(ErrorCode::kInternal, "A request's value was asked for without its place");
  std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

// Writes the value of each row that is asked for; `Write` takes one that is not NULL.
template <typename Write>
void WriteRows(const std::shared_ptr<void>& data, const Batch& arguments, engine::VectorWriter out,
               Write write) {
  const auto& bound = *static_cast<const Bound*>(data.get());
  const std::span<const RequestSlots::Row> rows = bound.slot->rows;
  const int64_t* numbers = arguments.columns[2].integers();
  for (size_t row = 0; row < arguments.rows; ++row) {
    const auto number = static_cast<size_t>(numbers[row]);
    if (number >= rows.size() || bound.index >= rows[number].size())
      throw Error(ErrorCode::kInternal, "A request's value was asked for that it does not have");
    const engine::Value& value = rows[number][bound.index];
    if (std::holds_alternative<std::monostate>(value)) {
      out.SetNull(row);
    } else {
      write(value, row);
    }
  }
}

using Run = decltype(engine::ScalarFunction::run);

Run RunOf(std::string_view type) {
  if (type == "BOOLEAN")
    return [](const auto& bound, const Batch& arguments, engine::VectorWriter out) {
      WriteRows(bound, arguments, out, [&out](const engine::Value& value, size_t row) {
        out.booleans()[row] = std::get<bool>(value);
      });
    };
  if (type == "BIGINT")
    return [](const auto& bound, const Batch& arguments, engine::VectorWriter out) {
      WriteRows(bound, arguments, out, [&out](const engine::Value& value, size_t row) {
        out.integers()[row] = std::get<int64_t>(value);
      });
    };
  if (type == "DOUBLE")
    return [](const auto& bound, const Batch& arguments, engine::VectorWriter out) {
      WriteRows(bound, arguments, out, [&out](const engine::Value& value, size_t row) {
        out.doubles()[row] = std::get<double>(value);
      });
    };
  return [](const auto& bound, const Batch& arguments, engine::VectorWriter out) {
    WriteRows(bound, arguments, out, [&out](const engine::Value& value, size_t row) {
      out.SetString(row, std::get<std::string>(value));
    });
  };
}

constexpr std::string_view kCountFunction = "braid_request_rows";
constexpr std::pair<std::string_view, std::string_view> kFunctions[] = {
    {"braid_request_boolean", "BOOLEAN"},
    {"braid_request_bigint", "BIGINT"},
    {"braid_request_double", "DOUBLE"},
    {"braid_request_varchar", "VARCHAR"},
};

}  // namespace

RequestSlots::RequestSlots(size_t slots) {
  for (size_t i = 0; i < slots; ++i) slots_.push_back(std::make_unique<Slot>());
}

void RequestSlots::Register(engine::Connection& connection) const {
  for (const auto& [name, type] : kFunctions)
    engine::Register(
        connection,
        engine::ScalarFunction{
            .name = std::string(name),
            .parameter_types = {"BIGINT", "BIGINT", "BIGINT"},
            .varargs_type = std::nullopt,
            .return_type = std::string(type),
            .is_volatile = true,  // else its first value would become a constant of the plan
            .bind = [this](std::span<const engine::ScalarFunction::BoundArgument> arguments)
                -> std::shared_ptr<void> {
              return std::make_shared<Bound>(
                  Bound{&SlotAt(Number(arguments[0].constant)), Number(arguments[1].constant)});
            },
            .run = RunOf(type)});
  engine::Register(
      connection,
      engine::ScalarFunction{
          .name = std::string(kCountFunction),
          .parameter_types = {"BIGINT"},
          .varargs_type = std::nullopt,
          .return_type = "BIGINT",
          .is_volatile = true,
          .bind = [this](std::span<const engine::ScalarFunction::BoundArgument> arguments)
              -> std::shared_ptr<void> {
            return std::make_shared<Bound>(Bound{&SlotAt(Number(arguments[0].constant)), 0});
          },
          .run =
              [](const std::shared_ptr<void>& bound, const Batch& arguments,
                 engine::VectorWriter out) {
                const size_t rows = static_cast<const Bound*>(bound.get())->slot->rows.size();
                std::fill_n(out.integers(), arguments.rows, static_cast<int64_t>(rows));
              }});
}

const RequestSlots::Slot& RequestSlots::SlotAt(size_t slot) const {
  if (slot >= slots_.size()) throw Error(ErrorCode::kInternal, "No such request slot");
  return *slots_[slot];
}

void RequestSlots::Set(size_t slot, std::span<const Row> rows) { slots_[slot]->rows = rows; }

std::string RequestSlots::CountSource(size_t slot) {
  return fmt::format("{}({})", kCountFunction, slot);
}

std::string RequestSlots::Source(ValueForm form, size_t slot, size_t index, std::string_view row) {
  const std::string_view function = form == ValueForm::kBoolean   ? kFunctions[0].first
                                    : form == ValueForm::kInteger ? kFunctions[1].first
                                    : form == ValueForm::kDouble  ? kFunctions[2].first
                                                                  : kFunctions[3].first;
  return fmt::format("{}({}, {}, {})", function, slot, index, row);
}

}  // namespace braid::serve
