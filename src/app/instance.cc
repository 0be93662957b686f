// SPDX-License-Identifier: Apache-2.0
#include "app/instance.h"

#include <fmt/format.h>

#include <utility>

#include "app/endpoints.h"
#include "app/journal_views.h"
#include "app/statements.h"
#include "base/error.h"
#include "capture/log.h"
#include "catalog/retention.h"
#include "engine/transaction.h"
#include "lake/read_registry.h"
#include "loop/live_views.h"
#include "loop/mover.h"
#include "remote/connections.h"
#include "session/model_store.h"
#include "session/scoring.h"
#include "train/training_run.h"
#include "train/trial_journal.h"

namespace braid::app {

namespace {

catalog::State LoadCommitted(lake::Lake& lake) {
  const auto connection = lake.Connect(lake::Scope::kRun);
  const engine::Transaction transaction(*connection);
  return catalog::LoadState(*connection);
}

owner::RunStatus StatusOf(const Error& error) {
  return error.code() == ErrorCode::kInterrupted ? owner::RunStatus::kInterrupted
                                                 : owner::RunStatus::kFailed;
}

}  // namespace

// Members in the order in which they stand on each other.
struct Instance::State {
  State(const InstanceOptions& given, const Clock& given_clock)
      : options(given),
        clock(given_clock),
        lake({.home = given.home, .engine = given.engine, .recover = given.recover}, given_clock),
        log(lake.home() / "capture.sqlite", given_clock),
        journal(lake.home() / "journal.sqlite", given_clock),
        models(lake.model_folder(), std::make_shared<const remote::Connections>(given.connections)),
        catalog(LoadCommitted(lake)),
        functions(lake.Connect(lake::Scope::kSession)),
        mover(RegisterAll(), log),
        runner(Shared(), Workers(), given.root) {
    loop::PublishLiveViews(lake);
    PublishJournalViews(lake, *functions, journal);
    RemoveUnusedArtefacts();
  }

  session::Workspace Shared() { return {lake, catalog, models, reads}; }

  session::Workspace RegisterAll() {
    session::RegisterScoringFunctions(*functions, models);
    loop::RegisterCaptureFunctions(*functions, log);
    return Shared();
  }

  flow::NodeWorkers Workers() {
    const train::TrainingDefaults defaults{
        .threads = options.engine.threads, .root = options.root, .tuning_folder = TuningFolder()};
    return {.train =
                [this, defaults](const catalog::Object& object, session::Change& change) {
                  return train::Train(object, change, models, defaults);
                },
            .declare_service =
                [this](const catalog::Object& object, session::Change& change) {
                  return serve::DeclareService(object, change, models);
                }};
  }

  // Removes the files of versions that are gone, and of trainings that did not end. Only what
  // nothing committed refers to, under the writer's pass, so that no training is under way; when
  // that is taken, the next change tries again. Never throws.
  void RemoveUnusedArtefacts() noexcept {
    try {
      if (!models.HoldsMoreThan(catalog::ArtefactsOf(*catalog.Get()))) return;
      const lake::WriterGate::Pass pass =
          lake.writer_gate().Enter("removal of artefacts", std::chrono::milliseconds(0));
      std::set<std::string> kept = catalog::ArtefactsOf(LoadCommitted(lake));
      kept.merge(catalog::ArtefactsOfViews(*lake.Connect(lake::Scope::kRun)));
      kept.merge(train::TrialJournal::Artefacts(TuningFolder()));
      models.RemoveAllBut(kept);
    } catch (const std::exception&) {
      return;  // files that are not needed do no harm
    }
  }

  std::filesystem::path TuningFolder() const { return lake.home() / "tuning"; }

  // After a commit that may have changed what exists.
  void Changed() {
    loop::PublishLiveViews(lake);
    RemoveUnusedArtefacts();
    if (runtime != nullptr) runtime->Refresh();
  }

  // After a move, which may have changed what services look up. Never throws.
  void RefreshQuietly() noexcept {
    try {
      runtime->Refresh();
    } catch (const std::exception&) {
      // Services go on with what they hold; the next change tries again.
    }
  }

  flow::RunSummary Journalled(
      flow::RunOptions run, flow::RunObserver& observer,
      const std::function<flow::RunSummary(const flow::RunOptions&, flow::RunObserver&)>& work) {
    mover.Move();
    run.run_id = journal.BeginRun(run.command);
    JournalingObserver journalling(journal, run.run_id, observer);
    flow::RunSummary summary;
    try {
      summary = work(run, journalling);
    } catch (const Error& error) {
      journal.FinishRun(run.run_id, StatusOf(error), std::nullopt,
                        fmt::format("{}: {}", Describe(error.code()).text, error.message()));
      RemoveUnusedArtefacts();
      throw;
    }
    journal.FinishRun(run.run_id, owner::RunStatus::kSucceeded, summary.snapshot_id, "");
    if (summary.snapshot_id) Changed();
    return summary;
  }

  const InstanceOptions options;
  const Clock& clock;
  lake::Lake lake;
  capture::Log log;
  owner::Journal journal;
  session::ModelStore models;
  catalog::Catalog catalog;
  lake::ReadRegistry reads;
  std::unique_ptr<engine::Connection> functions;
  loop::Mover mover;
  flow::Runner runner;
  std::unique_ptr<serve::ServiceRuntime> runtime;
};

Instance::Instance(const InstanceOptions& options, const Clock& clock)
    : state_(std::make_unique<State>(options, clock)) {}

Instance::~Instance() { StopServing(std::chrono::milliseconds(0)); }

const InstanceOptions& Instance::options() const { return state_->options; }
session::Workspace Instance::workspace() { return state_->Shared(); }
owner::Journal& Instance::journal() { return state_->journal; }

std::unique_ptr<session::Session> Instance::NewSession(std::chrono::milliseconds writer_wait) {
  State& state = *state_;
  StatementServices services;
  services.root = state.options.root;
  services.run_one = [&state](const catalog::Object& object, const std::string& command,
                              flow::RunObserver& observer, std::stop_token stop) {
    return state.Journalled({.run_id = "", .command = command, .select = {}}, observer,
                            [&](const flow::RunOptions& run, flow::RunObserver& journalling) {
                              return state.runner.RunOne(object, run, journalling, stop);
                            });
  };
  services.move_captured = [&state] { state.mover.Move(); };
  services.changed = [&state] { state.Changed(); };
  return std::make_unique<session::Session>(
      state.Shared(), MakeStatementHandler(std::move(services)),
      session::SessionOptions{.writer_wait = writer_wait,
                              .file_search_path = state.options.root.string()});
}

flow::Plan Instance::Plan(const flow::RunOptions& options) {
  return state_->runner.MakePlan(flow::LoadDeclarations(state_->options.root), options);
}

flow::RunSummary Instance::Run(flow::RunOptions options, flow::RunObserver& observer,
                               std::stop_token stop) {
  return state_->Journalled(std::move(options), observer,
                            [&](const flow::RunOptions& run, flow::RunObserver& journalling) {
                              return state_->runner.Run(
                                  flow::LoadDeclarations(state_->options.root), run, journalling,
                                  stop);
                            });
}

std::vector<Error> Instance::Check(std::vector<std::string>& warnings) {
  const flow::Declarations declarations = flow::LoadDeclarations(state_->options.root);
  std::vector<Error> problems = declarations.problems;
  const auto connection = state_->lake.Connect(lake::Scope::kRun);
  std::set<std::string> tables;
  for (const auto& [key, table] : lake::LoadTableStates(*connection)) tables.insert(key);
  std::set<std::string> models;
  const auto catalog = state_->catalog.Get();
  for (const auto& [model, versions] : catalog->versions) models.insert(model);
  flow::QueryReader reader;
  flow::Graph graph = flow::BuildGraph(declarations.objects, tables, models, reader);
  problems.insert(problems.end(), graph.problems.begin(), graph.problems.end());
  warnings = std::move(graph.warnings);
  return problems;
}

void Instance::MoveCaptured() {
  if (state_->mover.Move() > 0) loop::PublishLiveViews(state_->lake);
}

std::map<std::string, int64_t> Instance::LabelTables() {
  const auto connection = state_->lake.Connect(lake::Scope::kRun);
  std::map<std::string, int64_t> tables;
  for (const auto& [key, table] : lake::LoadTableStates(*connection))
    if (key.starts_with("inference.") && key.ends_with("_labelled")) tables[key] = table.version;
  return tables;
}

const Clock& Instance::clock() const { return state_->clock; }

serve::RuntimeStatus Instance::ServingStatus() const {
  return state_->runtime == nullptr ? serve::RuntimeStatus() : state_->runtime->Status();
}

void Instance::StartServing(http::Router& router, const serve::RuntimeOptions& options) {
  State& state = *state_;
  state.runtime = std::make_unique<serve::ServiceRuntime>(state.Shared(), state.log, options);
  state.runtime->Start();
  state.runtime->Refresh();
  AddEndpoints(router, *state.runtime, state.options.root.filename().string());
  // A move that fails is tried again; until then its rows are in the log, and in the live views.
  state.mover.Start([&state] { state.RefreshQuietly(); }, [](const std::string&) {});
}

void Instance::StopServing(std::chrono::milliseconds drain) {
  if (state_->runtime == nullptr) return;
  state_->mover.Stop();
  state_->runtime->Stop(drain);
  state_->runtime.reset();
}

}  // namespace braid::app
