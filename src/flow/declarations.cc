// SPDX-License-Identifier: Apache-2.0
#include "flow/declarations.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "base/file.h"
#include "base/text.h"
#include "catalog/place.h"
#include "flow/require_utf8_internal.h"
#include "syntax/parse.h"
#include "syntax/script.h"
#include "syntax/token.h"

namespace braid::flow {

namespace {

using catalog::Object;
using catalog::ObjectKind;

struct Declared {
  ObjectKind kind;
  syntax::Name name;
};

std::optional<Declared> DeclaredBy(const syntax::Statement& statement) {
  if (const auto* table = std::get_if<syntax::CreateStreamingTable>(&statement))
    return Declared{ObjectKind::kStreamingTable, table->name};
  if (const auto* view = std::get_if<syntax::CreateMaterializedView>(&statement))
    return Declared{ObjectKind::kMaterializedView, view->name};
  if (const auto* flow = std::get_if<syntax::CreateFlow>(&statement))
    return Declared{ObjectKind::kFlow, flow->name};
  if (const auto* model = std::get_if<syntax::CreateModel>(&statement))
    return Declared{ObjectKind::kModel, model->name};
  if (const auto* service = std::get_if<syntax::CreateService>(&statement))
    return Declared{ObjectKind::kService, service->name};
  return std::nullopt;
}

bool IsTable(ObjectKind kind) {
  return kind == ObjectKind::kStreamingTable || kind == ObjectKind::kMaterializedView;
}

// Tables that Braid or the engine writes are not declared.
bool IsReservedSchema(std::string_view schema) {
  for (const char* reserved :
       {"braid", "inference", "feedback", "information_schema", "pg_catalog"})
    if (EqualsIgnoringCase(schema, reserved)) return true;
  return false;
}

// What to write instead of a statement that declares nothing.
std::string HintFor(const std::vector<syntax::Token>& tokens) {
  if (!tokens[0].Is("CREATE")) {
    if (const auto close = ClosestMatch(tokens[0].text, {"CREATE"}))
      return fmt::format("did you mean {}?", *close);
    return "project files hold declarations; run this with braid sql";
  }
  for (const syntax::Token& token : tokens) {
    if (token.Is("VIEW")) return "write CREATE MATERIALIZED VIEW … AS SELECT …";
    if (token.Is("TABLE"))
      return "write CREATE MATERIALIZED VIEW … AS SELECT … or CREATE STREAMING TABLE …";
    if (token.Is("AS") || token.Is("(")) break;
  }
  return "project files declare streaming tables, materialized views, flows, models and services";
}

// A file that is named *.sql and does not hide.
bool IsSource(const std::filesystem::directory_entry& entry) {
  std::error_code failure;
  return entry.path().extension() == ".sql" && !entry.path().filename().string().starts_with('.') &&
         entry.is_regular_file(failure);
}

class Loader {
 public:
  explicit Loader(const std::filesystem::path& root) : root_(root) {}

  Declarations Run() {
    for (const std::filesystem::path& path : Files()) LoadFile(path);
    // A statement that cannot be read may be the one that declares what seems to be missing.
    if (!unreadable_) CheckTargets();
    return std::move(result_);
  }

 private:
  std::vector<std::filesystem::path> Files() {
    std::vector<std::filesystem::path> files;
    std::error_code failure;
    std::filesystem::recursive_directory_iterator at(root_, failure);
    for (; !failure && at != std::filesystem::recursive_directory_iterator();
         at.increment(failure)) {
      std::error_code unknown;
      if (at->is_directory(unknown) && at->path().filename().string().starts_with('.'))
        at.disable_recursion_pending();
      if (IsSource(*at)) files.push_back(at->path().lexically_relative(root_));
    }
    if (failure) {
      unreadable_ = true;
      result_.problems.emplace_back(
          ErrorCode::kIo, fmt::format("Cannot list the project's files: {}: {}", root_.string(),
                                      failure.message()));
    }
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.generic_string() < b.generic_string(); });
    return files;
  }

  void LoadFile(const std::filesystem::path& path) {
    const std::string file = path.generic_string();
    try {
      std::string text = ReadFile(root_ / path);
      if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
      RequireUtf8(text, file);
      const auto shared = std::make_shared<const std::string>(std::move(text));
      size_t at = 0;
      int64_t line = 1;
      for (const syntax::StatementText& statement : syntax::SplitStatements(*shared, file)) {
        for (; at < statement.offset; ++at) line += (*shared)[at] == '\n' ? 1 : 0;
        LoadStatement(statement, file, shared, line);
      }
    } catch (const Error& error) {
      unreadable_ = true;
      result_.problems.push_back(error);
    }
  }

  void LoadStatement(const syntax::StatementText& statement, const std::string& file,
                     const std::shared_ptr<const std::string>& text, int64_t line) {
    Object object;
    object.owner = "project";
    object.file = file;
    object.line = line;
    object.definition = statement.text;
    object.offset = statement.offset;
    object.file_text = text;
    try {
      object.statement = std::make_shared<const syntax::Statement>(
          syntax::Parse(statement.text, syntax::StatementPlace{file, *text, statement.offset}));
    } catch (const Error& error) {
      unreadable_ = true;
      result_.problems.push_back(error);
      return;
    }
    const auto declared = DeclaredBy(*object.statement);
    if (!declared) {
      unreadable_ = true;
      const auto tokens = syntax::Lex(statement.text, "");
      Report(object, 0, ErrorCode::kNotSupported,
             fmt::format("Not a declaration: {}", tokens[0].text), HintFor(tokens));
      return;
    }
    object.kind = declared->kind;
    object.key = catalog::ObjectKey(declared->name, declared->kind);
    if (IsTable(object.kind) && IsReservedSchema(declared->name.schema))
      Report(object, declared->name.offset, ErrorCode::kNotSupported,
             fmt::format("Schema is not for declared tables: {}", declared->name.schema),
             "use bronze, silver, gold or a schema of your own");
    Add(std::move(object), declared->name.offset);
  }

  void Add(Object object, size_t name_offset) {
    // Streaming tables and materialized views are tables and share their names.
    const ObjectKind space = IsTable(object.kind) ? ObjectKind::kStreamingTable : object.kind;
    const auto [first, added] =
        names_.try_emplace(std::make_pair(space, object.key), result_.objects.size());
    if (!added) {
      const Object& other = result_.objects[first->second];
      Report(object, name_offset, ErrorCode::kAlreadyExists,
             fmt::format("Declared twice: {}", object.key),
             fmt::format("first declared at {}:{}; remove or rename one of them", other.file,
                         other.line));
      return;
    }
    result_.objects.push_back(std::move(object));
  }

  void CheckTargets() {
    for (const Object& object : result_.objects) {
      const auto* flow = std::get_if<syntax::CreateFlow>(object.statement.get());
      if (flow == nullptr) continue;
      const std::string key = catalog::ObjectKey(flow->target, ObjectKind::kStreamingTable);
      const auto found = names_.find({ObjectKind::kStreamingTable, key});
      if (found == names_.end()) {
        Report(object, flow->target.offset, ErrorCode::kTableNotFound,
               fmt::format("Flow writes into a table that nobody declares: {}", key),
               TargetHint(key));
      } else if (result_.objects[found->second].kind == ObjectKind::kMaterializedView) {
        Report(object, flow->target.offset, ErrorCode::kNotSupported,
               fmt::format("Flow writes into a materialized view: {}", key),
               "flows write into streaming tables; declare it with CREATE STREAMING TABLE");
      }
    }
  }

  std::string TargetHint(const std::string& key) const {
    std::vector<std::string> tables;
    for (const Object& object : result_.objects)
      if (object.kind == ObjectKind::kStreamingTable) tables.push_back(object.key);
    if (const auto close = ClosestMatch(key, tables))
      return fmt::format("did you mean {}?", *close);
    return fmt::format("declare it: CREATE STREAMING TABLE {} (…)", key);
  }

  void Report(const Object& object, size_t offset, ErrorCode code, std::string message,
              std::string hint) {
    result_.problems.push_back(
        catalog::PlaceInFile(Error(code, std::move(message), std::move(hint)), object, offset));
  }

  const std::filesystem::path& root_;
  Declarations result_;
  std::map<std::pair<ObjectKind, std::string>, size_t> names_;
  bool unreadable_ = false;
};

}  // namespace

Declarations LoadDeclarations(const std::filesystem::path& root) { return Loader(root).Run(); }

}  // namespace braid::flow
