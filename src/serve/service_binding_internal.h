// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/option.h"
#include "lake/tables.h"
#include "serve/service_schema.h"
#include "syntax/statement.h"

// What the .cc files of this module share about declarations.
namespace braid::serve {

using TableStates = std::map<lake::TableKey, lake::TableState>;

void ApplyOption(const Option& option, ServiceSettings& settings);

// BindService with the lake's tables at hand.
ServiceSchema BindServiceTo(const TableStates& tables, const catalog::Object& object,
                            const catalog::State& state, session::ModelStore& models,
                            engine::Connection& connection);

const syntax::CreateService& DeclarationOf(const catalog::Object& object);

// The error with the place of an offset in the object's statement, as its file has it.
Error PlacedAt(const Error& error, const catalog::Object& object, size_t offset);

// True for a schema whose tables change with each request: they are read live, never held.
bool IsLiveSchema(std::string_view schema);

// Lake tables that a query may read, by its text: each schema.table and each table after FROM or
// JOIN that exists.
std::vector<std::string> TablesIn(std::string_view query, const TableStates& tables);

}  // namespace braid::serve
