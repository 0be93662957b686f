// SPDX-License-Identifier: Apache-2.0
// NOLINTBEGIN(cppcoreguidelines-owning-memory): DuckDB keeps what it is given by bare pointers.
#include "engine/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>

#include "engine/duckdb_internal.h"
#include "engine/result_internal.h"

namespace braid::engine {

std::vector<std::string_view> TextViews(duckdb_vector vector, size_t rows);

namespace {

// The arguments of a call as a Batch; narrower numbers that came through ANY are widened into
// `storage`.
class Arguments {
 public:
  explicit Arguments(duckdb_data_chunk chunk) {
    batch_.rows = duckdb_data_chunk_get_size(chunk);
    for (idx_t i = 0; i < duckdb_data_chunk_get_column_count(chunk); ++i)
      batch_.columns.push_back(View(duckdb_data_chunk_get_vector(chunk, i)));
  }
  const Batch& batch() const { return batch_; }

 private:
  template <typename From, typename To>
  const void* Widen(const void* data) {
    auto values = std::make_unique<To[]>(batch_.rows);
    const From* from = static_cast<const From*>(data);
    for (size_t i = 0; i < batch_.rows; ++i) values[i] = static_cast<To>(from[i]);
    const void* widened = values.get();
    storage_.push_back(
        std::shared_ptr<void>(values.release(), [](void* p) { delete[] static_cast<To*>(p); }));
    return widened;
  }

  ColumnView View(duckdb_vector vector) {
    const OwnedType type(duckdb_vector_get_column_type(vector));
    const void* data = duckdb_vector_get_data(vector);
    ColumnView view{
        .kind = ColumnKind::kInt64, .data = data, .validity = duckdb_vector_get_validity(vector)};
    switch (duckdb_get_type_id(type.get())) {
      case DUCKDB_TYPE_DOUBLE:
        view.kind = ColumnKind::kDouble;
        break;
      case DUCKDB_TYPE_FLOAT:
        view.kind = ColumnKind::kDouble;
        view.data = Widen<float, double>(data);
        break;
      case DUCKDB_TYPE_BOOLEAN:
        view.kind = ColumnKind::kBool;
        break;
      case DUCKDB_TYPE_BIGINT:
        break;
      case DUCKDB_TYPE_TINYINT:
        view.data = Widen<int8_t, int64_t>(data);
        break;
      case DUCKDB_TYPE_SMALLINT:
        view.data = Widen<int16_t, int64_t>(data);
        break;
      case DUCKDB_TYPE_INTEGER:
        view.data = Widen<int32_t, int64_t>(data);
        break;
      case DUCKDB_TYPE_VARCHAR:
      case DUCKDB_TYPE_BLOB:
        view.kind = ColumnKind::kString;
        texts_.push_back(TextViews(vector, batch_.rows));
        view.data = texts_.back().data();
        break;
      default:
        throw Error(ErrorCode::kInternal,
                    "A function was given a type it cannot read: " + TypeName(type.get()));
    }
    return view;
  }

  Batch batch_;
  std::vector<std::shared_ptr<void>> storage_;
  std::vector<std::vector<std::string_view>> texts_;
};

template <typename Work, typename Report>
void Guarded(Work work, Report report) {
  try {
    work();
  } catch (const Error& error) {
    report(EncodeError(error).c_str());
  } catch (const std::exception& error) {
    report(EncodeError(Error(ErrorCode::kInternal, error.what())).c_str());
  }
}

struct Bound {
  std::shared_ptr<void> data;
};

// A function with what its calls look at.
struct RegisteredScalar {
  ScalarFunction function;
  std::shared_ptr<InterruptWatches> watches;
};

std::shared_ptr<InterruptWatch> WatchOf(duckdb_bind_info info, InterruptWatches& watches) {
  Owned<duckdb_client_context, duckdb_destroy_client_context> context;
  duckdb_scalar_function_get_client_context(info, context.out());
  return watches.Of(duckdb_client_context_get_connection_id(context.get()));
}

std::optional<std::string> Constant(duckdb_bind_info info, duckdb_expression expression) {
  if (!duckdb_expression_is_foldable(expression)) return std::nullopt;
  Owned<duckdb_client_context, duckdb_destroy_client_context> context;
  duckdb_scalar_function_get_client_context(info, context.out());
  OwnedValue value;
  Owned<duckdb_error_data, duckdb_destroy_error_data> error(
      duckdb_expression_fold(context.get(), expression, value.out()));
  if (error && duckdb_error_data_has_error(error.get())) return std::nullopt;
  if (!value || duckdb_is_null_value(value.get())) return std::nullopt;
  return TakeText(duckdb_get_varchar(value.get()));
}

void BindScalar(duckdb_bind_info info) {
  Guarded(
      [info] {
        const auto& registered =
            *static_cast<const RegisteredScalar*>(duckdb_scalar_function_bind_get_extra_info(info));
        const ScalarFunction& function = registered.function;
        auto bound = std::make_unique<Bound>();
        if (function.bind || function.bind_watching) {
          std::vector<ScalarFunction::BoundArgument> arguments;
          for (idx_t i = 0; i < duckdb_scalar_function_bind_get_argument_count(info); ++i) {
            Owned<duckdb_expression, duckdb_destroy_expression> expression(
                duckdb_scalar_function_bind_get_argument(info, i));
            if (!expression)
              throw Error(ErrorCode::kNotSupported,
                          "An argument of this function cannot be a subquery: " + function.name,
                          "join the subquery, and give its column");
            const OwnedType type(duckdb_expression_return_type(expression.get()));
            arguments.push_back({TypeName(type.get()), Constant(info, expression.get())});
          }
          bound->data = function.bind
                            ? function.bind(arguments)
                            : function.bind_watching(arguments, WatchOf(info, *registered.watches));
        }
        duckdb_scalar_function_set_bind_data(info, bound.release(),
                                             [](void* p) { delete static_cast<Bound*>(p); });
        duckdb_scalar_function_set_bind_data_copy(
            info, [](void* p) -> void* { return new Bound(*static_cast<Bound*>(p)); });
      },
      [info](const char* message) { duckdb_scalar_function_bind_set_error(info, message); });
}

void RunScalar(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  Guarded(
      [&] {
        const ScalarFunction& function =
            static_cast<const RegisteredScalar*>(duckdb_scalar_function_get_extra_info(info))
                ->function;
        const auto* bound = static_cast<const Bound*>(duckdb_scalar_function_get_bind_data(info));
        const Arguments arguments(input);
        function.run(bound->data, arguments.batch(), VectorWriter(output));
      },
      [info](const char* message) { duckdb_scalar_function_set_error(info, message); });
}

// DuckDB's memory for one aggregate state.
struct StateSlot {
  AggregateFunction::State* state;
};

AggregateFunction::State& StateOf(StateSlot& slot, const AggregateFunction& function) {
  if (slot.state == nullptr) slot.state = function.make_state().release();
  return *slot.state;
}

// Rows of one state after the other, in their order.
void UpdateGrouped(const AggregateFunction& function, const Batch& batch, StateSlot** slots) {
  std::vector<uint32_t> order(batch.rows);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [slots](uint32_t a, uint32_t b) {
    return slots[a] != slots[b] ? std::less<>()(slots[a], slots[b]) : a < b;
  });
  for (size_t begin = 0; begin < order.size();) {
    StateSlot* slot = slots[order[begin]];
    size_t end = begin + 1;
    while (end < order.size() && slots[order[end]] == slot) ++end;
    StateOf(*slot, function)
        .AddSome(batch, std::span<const uint32_t>(order).subspan(begin, end - begin));
    begin = end;
  }
}

void UpdateAggregate(duckdb_function_info info, duckdb_data_chunk input,
                     duckdb_aggregate_state* states) {
  Guarded(
      [&] {
        const auto& function =
            *static_cast<const AggregateFunction*>(duckdb_aggregate_function_get_extra_info(info));
        const Arguments arguments(input);
        auto** slots = reinterpret_cast<StateSlot**>(states);
        bool one = true;
        for (size_t row = 1; one && row < arguments.batch().rows; ++row)
          one = slots[row] == slots[0];
        if (one && arguments.batch().rows > 0) {
          StateOf(*slots[0], function).Add(arguments.batch());
        } else {
          UpdateGrouped(function, arguments.batch(), slots);
        }
      },
      [info](const char* message) { duckdb_aggregate_function_set_error(info, message); });
}

void CombineAggregate(duckdb_function_info info, duckdb_aggregate_state* source,
                      duckdb_aggregate_state* target, idx_t count) {
  Guarded(
      [&] {
        const auto& function =
            *static_cast<const AggregateFunction*>(duckdb_aggregate_function_get_extra_info(info));
        for (idx_t i = 0; i < count; ++i) {
          auto* from = reinterpret_cast<StateSlot*>(source[i]);
          if (from->state != nullptr)
            StateOf(*reinterpret_cast<StateSlot*>(target[i]), function).Merge(*from->state);
        }
      },
      [info](const char* message) { duckdb_aggregate_function_set_error(info, message); });
}

void FinishAggregate(duckdb_function_info info, duckdb_aggregate_state* source,
                     duckdb_vector result, idx_t count, idx_t offset) {
  Guarded(
      [&] {
        VectorWriter out(result);
        for (idx_t i = 0; i < count; ++i) {
          AggregateFunction::State* state = reinterpret_cast<StateSlot*>(source[i])->state;
          if (state == nullptr) {
            out.SetNull(offset + i);
          } else {
            out.SetString(offset + i, state->Finish());
          }
        }
      },
      [info](const char* message) { duckdb_aggregate_function_set_error(info, message); });
}

struct TableBind {
  std::vector<std::string> arguments;
};

struct TableScan {
  TableFunction::Producer produce;
  size_t columns = 0;
};

// What the callbacks of a table function need; the types are made once, at registration.
struct TableFunctionData {
  TableFunction function;
  std::vector<OwnedType> types;
};

void BindTable(duckdb_bind_info info) {
  const auto& data = *static_cast<const TableFunctionData*>(duckdb_bind_get_extra_info(info));
  for (size_t i = 0; i < data.types.size(); ++i)
    duckdb_bind_add_result_column(info, data.function.columns[i].name.c_str(), data.types[i].get());
  auto bound = std::make_unique<TableBind>();
  for (idx_t i = 0; i < duckdb_bind_get_parameter_count(info); ++i) {
    const OwnedValue value(duckdb_bind_get_parameter(info, i));
    bound->arguments.push_back(TakeText(duckdb_get_varchar(value.get())));
  }
  duckdb_bind_set_bind_data(info, bound.release(),
                            [](void* p) { delete static_cast<TableBind*>(p); });
}

void InitTable(duckdb_init_info info) {
  Guarded(
      [info] {
        const auto& data = *static_cast<const TableFunctionData*>(duckdb_init_get_extra_info(info));
        const auto& bound = *static_cast<const TableBind*>(duckdb_init_get_bind_data(info));
        duckdb_init_set_max_threads(info, 1);
        auto scan = std::make_unique<TableScan>();
        scan->produce = data.function.open(bound.arguments);
        scan->columns = data.function.columns.size();
        duckdb_init_set_init_data(info, scan.release(),
                                  [](void* p) { delete static_cast<TableScan*>(p); });
      },
      [info](const char* message) { duckdb_init_set_error(info, message); });
}

void RunTable(duckdb_function_info info, duckdb_data_chunk output) {
  Guarded(
      [&] {
        auto& scan = *static_cast<TableScan*>(duckdb_function_get_init_data(info));
        std::vector<VectorWriter> columns;
        for (size_t i = 0; i < scan.columns; ++i)
          columns.emplace_back(duckdb_data_chunk_get_vector(output, i));
        duckdb_data_chunk_set_size(output, scan.produce(columns, duckdb_vector_size()));
      },
      [info](const char* message) { duckdb_function_set_error(info, message); });
}

void CheckRegistered(duckdb_state state, const std::string& name) {
  if (state != DuckDBSuccess)
    throw Error(ErrorCode::kInternal, "Cannot register function: " + name);
}

}  // namespace

void AggregateFunction::State::AddSome(const Batch& rows, std::span<const uint32_t> picked) {
  std::vector<std::vector<double>> values(rows.columns.size());
  std::vector<std::vector<uint64_t>> validity(rows.columns.size());
  Batch part{.rows = picked.size(), .columns = {}};
  for (size_t c = 0; c < rows.columns.size(); ++c) {
    validity[c].assign((picked.size() + 63) / 64, 0);
    for (size_t i = 0; i < picked.size(); ++i) {
      values[c].push_back(rows.columns[c].doubles()[picked[i]]);
      if (rows.columns[c].IsValid(picked[i])) validity[c][i / 64] |= uint64_t{1} << (i % 64);
    }
    part.columns.push_back({ColumnKind::kDouble, values[c].data(), validity[c].data()});
  }
  Add(part);
}

double* VectorWriter::doubles() {
  return static_cast<double*>(duckdb_vector_get_data(static_cast<duckdb_vector>(vector_)));
}
int64_t* VectorWriter::integers() {
  return static_cast<int64_t*>(duckdb_vector_get_data(static_cast<duckdb_vector>(vector_)));
}
bool* VectorWriter::booleans() {
  return static_cast<bool*>(duckdb_vector_get_data(static_cast<duckdb_vector>(vector_)));
}

void VectorWriter::SetString(size_t row, std::string_view value) {
  duckdb_vector_assign_string_element_len(static_cast<duckdb_vector>(vector_), row, value.data(),
                                          value.size());
}

void VectorWriter::SetNull(size_t row) {
  auto* vector = static_cast<duckdb_vector>(vector_);
  duckdb_vector_ensure_validity_writable(vector);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(vector), row);
}

VectorWriter VectorWriter::Child(size_t field) {
  return VectorWriter(duckdb_struct_vector_get_child(static_cast<duckdb_vector>(vector_), field));
}

VectorWriter VectorWriter::ListChild(size_t total) {
  auto* vector = static_cast<duckdb_vector>(vector_);
  duckdb_list_vector_reserve(vector, total);
  duckdb_list_vector_set_size(vector, total);
  return VectorWriter(duckdb_list_vector_get_child(vector));
}

void VectorWriter::SetListEntry(size_t row, uint64_t offset, uint64_t length) {
  static_cast<duckdb_list_entry*>(
      duckdb_vector_get_data(static_cast<duckdb_vector>(vector_)))[row] = {offset, length};
}

void Register(Connection& connection, ScalarFunction function) {
  duckdb_connection handle = connection.handle().connection;
  Owned<duckdb_scalar_function, duckdb_destroy_scalar_function> made(
      duckdb_create_scalar_function());
  duckdb_scalar_function_set_name(made.get(), function.name.c_str());
  for (const std::string& type : function.parameter_types)
    duckdb_scalar_function_add_parameter(made.get(), TypeFromSql(handle, type).get());
  if (function.varargs_type)
    duckdb_scalar_function_set_varargs(made.get(),
                                       TypeFromSql(handle, *function.varargs_type).get());
  duckdb_scalar_function_set_return_type(made.get(),
                                         TypeFromSql(handle, function.return_type).get());
  duckdb_scalar_function_set_special_handling(made.get());
  if (function.is_volatile) duckdb_scalar_function_set_volatile(made.get());
  duckdb_scalar_function_set_bind(made.get(), BindScalar);
  duckdb_scalar_function_set_function(made.get(), RunScalar);
  const std::string name = function.name;
  duckdb_scalar_function_set_extra_info(
      made.get(), new RegisteredScalar{std::move(function), connection.handle().watches},
      [](void* p) { delete static_cast<RegisteredScalar*>(p); });
  CheckRegistered(duckdb_register_scalar_function(handle, made.get()), name);
}

void Register(Connection& connection, AggregateFunction function) {
  duckdb_connection handle = connection.handle().connection;
  Owned<duckdb_aggregate_function, duckdb_destroy_aggregate_function> made(
      duckdb_create_aggregate_function());
  duckdb_aggregate_function_set_name(made.get(), function.name.c_str());
  for (size_t i = 0; i < function.parameter_count; ++i)
    duckdb_aggregate_function_add_parameter(made.get(), TypeFromSql(handle, "DOUBLE").get());
  duckdb_aggregate_function_set_return_type(made.get(), TypeFromSql(handle, "BLOB").get());
  duckdb_aggregate_function_set_special_handling(made.get());
  duckdb_aggregate_function_set_functions(
      made.get(), [](duckdb_function_info) -> idx_t { return sizeof(StateSlot); },
      [](duckdb_function_info, duckdb_aggregate_state state) {
        reinterpret_cast<StateSlot*>(state)->state = nullptr;
      },
      UpdateAggregate, CombineAggregate, FinishAggregate);
  duckdb_aggregate_function_set_destructor(
      made.get(), [](duckdb_aggregate_state* states, idx_t count) {
        for (idx_t i = 0; i < count; ++i) delete reinterpret_cast<StateSlot*>(states[i])->state;
      });
  const std::string name = function.name;
  duckdb_aggregate_function_set_extra_info(
      made.get(), new AggregateFunction(std::move(function)),
      [](void* p) { delete static_cast<AggregateFunction*>(p); });
  CheckRegistered(duckdb_register_aggregate_function(handle, made.get()), name);
}

void RegisterOnce(Connection& connection, AggregateFunction function) {
  const std::array<Value, 1> name = {Value(function.name)};
  if (!connection.Query("FROM duckdb_functions() WHERE function_name = ?", name).Next())
    Register(connection, std::move(function));
}

void Register(Connection& connection, TableFunction function) {
  duckdb_connection handle = connection.handle().connection;
  Owned<duckdb_table_function, duckdb_destroy_table_function> made(duckdb_create_table_function());
  duckdb_table_function_set_name(made.get(), function.name.c_str());
  for (const std::string& type : function.parameter_types)
    duckdb_table_function_add_parameter(made.get(), TypeFromSql(handle, type).get());
  duckdb_table_function_set_bind(made.get(), BindTable);
  duckdb_table_function_set_init(made.get(), InitTable);
  duckdb_table_function_set_function(made.get(), RunTable);
  auto data = std::make_unique<TableFunctionData>();
  for (const TableFunction::Column& column : function.columns)
    data->types.push_back(TypeFromSql(handle, column.type));
  data->function = std::move(function);
  const std::string name = data->function.name;
  duckdb_table_function_set_extra_info(made.get(), data.release(),
                                       [](void* p) { delete static_cast<TableFunctionData*>(p); });
  CheckRegistered(duckdb_register_table_function(handle, made.get()), name);
}

}  // namespace braid::engine
// NOLINTEND(cppcoreguidelines-owning-memory)
