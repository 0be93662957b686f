// SPDX-License-Identifier: Apache-2.0
#include "app/alter_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "catalog/retention.h"
#include "lake/write_transaction.h"
#include "ml/option_reader.h"

namespace braid::app {

namespace {

using catalog::ModelNote;

constexpr std::string_view kLabels = "a list as [STRUCT('team', 'repairs')]";

[[noreturn]] void Refuse(const Option& option, std::string_view wanted) {
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("The option {} takes {}", option.name, wanted));
}

std::string TextOf(const Option& option, const OptionValue& value, std::string_view wanted) {
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) Refuse(option, wanted);
  return *text;
}

// NULL takes it back.
std::string NumberText(const Option& option, double least) {
  if (std::holds_alternative<std::monostate>(option.value.value)) return "";
  const std::optional<double> number = ml::AsNumber(option.value);
  const bool whole =
      option.name != catalog::kKeepVersions || std::holds_alternative<int64_t>(option.value.value);
  if (!number || !whole || *number < least || *number > 1e6)
    Refuse(option, whole ? fmt::format("a number from {} to 1000000, or NULL", least)
                         : "a whole number, or NULL");
  return fmt::format("{}", *number);
}

// The notes that the options stand for, without the model.
std::vector<ModelNote> ReadNotes(const std::vector<Option>& options) {
  std::vector<ModelNote> notes;
  for (const Option& option : options) {
    if (option.name == "description") {
      notes.push_back({.model = {},
                       .version = {},
                       .name = option.name,
                       .value = TextOf(option, option.value, "a string"),
                       .at = {}});
    } else if (option.name == "labels") {
      const auto* list = std::get_if<OptionValue::List>(&option.value.value);
      if (list == nullptr) Refuse(option, kLabels);
      for (const OptionValue& item : *list) {
        const auto* pair = std::get_if<OptionValue::Struct>(&item.value);
        if (pair == nullptr || pair->size() != 2) Refuse(option, kLabels);
        notes.push_back({.model = {},
                         .version = {},
                         .name = "label." + TextOf(option, (*pair)[0].second, kLabels),
                         .value = TextOf(option, (*pair)[1].second, kLabels),
                         .at = {}});
      }
    } else if (option.name == catalog::kKeepVersions || option.name == catalog::kKeepDays) {
      notes.push_back({.model = {},
                       .version = {},
                       .name = option.name,
                       .value = NumberText(option, option.name == catalog::kKeepVersions ? 1 : 0),
                       .at = {}});
    } else {
      const auto close = ClosestMatch(
          option.name, {"description", "labels", catalog::kKeepVersions, catalog::kKeepDays});
      throw Error(ErrorCode::kInvalidOption, "Unknown option: " + option.name,
                  close ? fmt::format("did you mean {}?", *close)
                        : "the options are description, labels, keep_versions and keep_days");
    }
  }
  if (notes.empty())
    throw Error(ErrorCode::kInvalidOption, "SET OPTIONS without an option",
                "write SET OPTIONS (description = '…')");
  return notes;
}

void CheckAlias(const syntax::AlterModel& statement, const catalog::State& state,
                const std::string& model) {
  if (!statement.unset) {
    if (!statement.model.version && !statement.model.alias)
      throw Error(ErrorCode::kInvalidOption, "ALTER MODEL … SET ALIAS does not say which version",
                  fmt::format("write ALTER MODEL {}@2 SET ALIAS {}", model, *statement.alias));
    return;
  }
  if (*statement.alias == "champion")
    throw Error(ErrorCode::kInvalidOption, "The alias champion cannot be unset",
                fmt::format("MODEL {0} means {0}@champion: set it to another version", model));
  const auto of_model = state.aliases.find(model);
  if (of_model == state.aliases.end() || !of_model->second.contains(*statement.alias))
    throw Error(ErrorCode::kModelNotFound,
                fmt::format("Model has no such alias: {}@{}", model, *statement.alias),
                "SHOW MODELS lists the aliases of each model");
}

}  // namespace

void AlterModel(session::Session& session, const syntax::AlterModel& statement,
                session::ResultSink& sink) {
  session.RequireNoTransaction("ALTER MODEL");
  session::Workspace& workspace = session.workspace();
  const auto connection = workspace.lake.Connect(lake::Scope::kRun);
  lake::WriteTransaction transaction(workspace.lake, *connection, "braid sql",
                                     session.options().writer_wait);
  catalog::State state = *workspace.catalog.Get();
  const catalog::ModelVersion& version = state.Resolve(statement.model);
  const std::string model = version.model;
  const std::string at = FormatUtc(workspace.lake.clock().NowMicros());
  std::string done;
  if (statement.alias) {
    CheckAlias(statement, state, model);
    catalog::AliasEvent event{
        .model = model,
        .alias = *statement.alias,
        .version = {},
        .at = at,
        .run_id = {},
        .reason = statement.reason.empty() ? "ALTER MODEL" : statement.reason};
    if (!statement.unset) event.version = version.version;
    catalog::AddAliasEvent(*connection, state, event);
    done = statement.unset
               ? fmt::format("{}@{} unset", model, *statement.alias)
               : fmt::format("{}@{} is version {}", model, *statement.alias, version.version);
  } else {
    const std::vector<ModelNote> notes = ReadNotes(statement.options);
    for (ModelNote note : notes) {
      note.model = model;
      if (statement.model.version || statement.model.alias) note.version = version.version;
      if (note.version && note.name.starts_with("keep_"))
        throw Error(ErrorCode::kInvalidOption,
                    fmt::format("The option {} is a model's, not a version's", note.name),
                    fmt::format("write ALTER MODEL {} SET OPTIONS (…)", model));
      note.at = at;
      catalog::AddModelNote(*connection, note);
    }
    done = fmt::format("model {}: {} noted", model, notes.size());
    const std::vector<int64_t> gone = catalog::ExpireVersions(*connection, state, model, at);
    if (!gone.empty()) done += fmt::format("; dropped version {}", fmt::join(gone, ", "));
  }
  transaction.Commit("braid sql", "ALTER MODEL " + model, "{}");
  workspace.catalog.Publish(std::move(state));
  sink.Notice(done);
}

}  // namespace braid::app
