// SPDX-License-Identifier: Apache-2.0
#include "serve/request_slots.h"

#include <fmt/format.h>

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

// Writes the value into every row; `Write` takes one that is not NULL.
template <typename Write>
void WriteRows(const std::shared_ptr<void>& data, const Batch& arguments, engine::VectorWriter out,
               Write write) {
  const auto& bound = *static_cast<const Bound*>(data.get());
  if (bound.index >= bound.slot->values.size())
    throw Error(ErrorCode::kInternal, "A request's value was asked for while there is no request");
  const engine::Value& value = bound.slot->values[bound.index];
  for (size_t row = 0; row < arguments.rows; ++row) {
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
            .parameter_types = {"BIGINT", "BIGINT"},
            .varargs_type = std::nullopt,
            .return_type = std::string(type),
            .is_volatile = true,  // else its first value would become a constant of the plan
            .bind = [this](std::span<const engine::ScalarFunction::BoundArgument> arguments)
                -> std::shared_ptr<void> {
              const size_t slot = Number(arguments[0].constant);
              if (slot >= slots_.size()) throw Error(ErrorCode::kInternal, "No such request slot");
              return std::make_shared<Bound>(
                  Bound{slots_[slot].get(), Number(arguments[1].constant)});
            },
            .run = RunOf(type)});
}

void RequestSlots::Set(size_t slot, std::span<const engine::Value> values) {
  slots_[slot]->values = values;
}

std::string RequestSlots::Source(ValueForm form, size_t slot, size_t index) {
  const std::string_view function = form == ValueForm::kBoolean   ? kFunctions[0].first
                                    : form == ValueForm::kInteger ? kFunctions[1].first
                                    : form == ValueForm::kDouble  ? kFunctions[2].first
                                                                  : kFunctions[3].first;
  return fmt::format("{}({}, {})", function, slot, index);
}

}  // namespace braid::serve
