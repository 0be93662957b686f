// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "catalog/catalog.h"
#include "syntax/parse.h"
#include "syntax/script.h"

namespace braid::flow {

// The objects that a script declares, as if it were the project's file a.sql.
inline std::vector<catalog::Object> ObjectsOf(const std::string& script) {
  using catalog::ObjectKind;
  std::vector<catalog::Object> objects;
  const auto text = std::make_shared<const std::string>(script);
  for (const syntax::StatementText& part : syntax::SplitStatements(script, "a.sql")) {
    catalog::Object object;
    object.owner = "project";
    object.file = "a.sql";
    object.line = SpotAt(script, part.offset, "").line;
    object.definition = part.text;
    object.offset = part.offset;
    object.file_text = text;
    auto statement = std::make_shared<const syntax::Statement>(
        syntax::Parse(part.text, std::string_view("a.sql")));
    const auto take = [&](const syntax::Name& name, ObjectKind kind) {
      object.kind = kind;
      object.key = catalog::ObjectKey(name, kind);
    };
    if (const auto* table = std::get_if<syntax::CreateStreamingTable>(statement.get()))
      take(table->name, ObjectKind::kStreamingTable);
    if (const auto* view = std::get_if<syntax::CreateMaterializedView>(statement.get()))
      take(view->name, ObjectKind::kMaterializedView);
    if (const auto* flow = std::get_if<syntax::CreateFlow>(statement.get()))
      take(flow->name, ObjectKind::kFlow);
    if (const auto* model = std::get_if<syntax::CreateModel>(statement.get()))
      take(model->name, ObjectKind::kModel);
    if (const auto* service = std::get_if<syntax::CreateService>(statement.get()))
      take(service->name, ObjectKind::kService);
    object.statement = std::move(statement);
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace braid::flow
