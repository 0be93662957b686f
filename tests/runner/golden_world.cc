// SPDX-License-Identifier: Apache-2.0
#include "golden_world.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <stdexcept>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "golden_compare.h"

namespace braid::golden {

namespace {

constexpr std::chrono::seconds kPatience{30};

class RowSink final : public session::ResultSink {
 public:
  explicit RowSink(std::vector<std::string>& rows) : rows_(rows) {}
  void Begin(const std::vector<std::string>& names, const std::vector<std::string>&) override {
    columns_ = names.size();
    rows_.clear();  // of several statements, the last one's rows
  }
  void Rows(const engine::Chunk& chunk) override {
    for (size_t row = 0; row < chunk.rows(); ++row) {
      std::string line;
      for (size_t column = 0; column < columns_; ++column)
        line += (column == 0 ? "" : "\t") + CellText(chunk.Value(column, row));
      rows_.push_back(std::move(line));
    }
  }
  void End() override {}
  void Notice(std::string_view) override {}

 private:
  std::vector<std::string>& rows_;
  size_t columns_ = 0;
};

class NodeList final : public flow::RunObserver {
 public:
  explicit NodeList(std::vector<std::string>& rows) : rows_(rows) {}
  void RunStarted(const std::vector<std::string>&) override {}
  void NodeStarted(const std::string&, size_t, size_t) override {}
  void NodeProgress(double, std::string_view) override {}
  void NodeFinished(const flow::NodeResult& node) override {
    rows_.push_back(fmt::format("{}\t{}\t{}", node.node, node.action,
                                node.rows ? std::to_string(*node.rows) : "-"));
  }
  void Notice(std::string_view) override {}

 private:
  std::vector<std::string>& rows_;
};

template <typename Work>
Outcome Attempt(Work&& work) {
  Outcome outcome;
  try {
    work(outcome.rows);
  } catch (const Error& error) {
    outcome.code = Describe(error.code()).text;
    outcome.message = error.ToText();
  } catch (const std::exception& error) {
    outcome.code = "not a braid::Error";
    outcome.message = error.what();
  }
  return outcome;
}

}  // namespace

World::World(int threads) : threads_(threads) {
  std::string name = (std::filesystem::temp_directory_path() / "braid_golden_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) ThrowErrno("A folder could not be made", name);
  root_ = name;
  Open();
}

World::~World() {
  Close();
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

void World::Open() {
  instance_ = std::make_unique<app::Instance>(
      app::InstanceOptions{
          .home = root_ / ".braid", .root = root_, .engine = {.threads = threads_}},
      clock_);
}

void World::Close() {
  sessions_.clear();
  if (router_ != nullptr) instance_->StopServing(kPatience);
  router_.reset();
  instance_.reset();
}

void World::Restart() {
  Close();
  Open();
}

bool World::in_transaction() const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [](const auto& entry) { return entry.second->in_transaction(); });
}

void World::WriteFile(const std::string& name, const std::string& content) const {
  std::filesystem::create_directories((root_ / name).parent_path());
  WriteFileDurably(root_ / name, content);
}

Outcome World::Sql(const std::string& connection, const std::string& sql) {
  return Attempt([&](std::vector<std::string>& rows) {
    auto& session = sessions_[connection];
    if (session == nullptr) session = instance_->NewSession(kPatience);
    RowSink sink(rows);
    session->ExecuteScript(sql, "", sink);
  });
}

Outcome World::Run(const std::vector<std::string>& select, bool full_refresh) {
  std::vector<std::string> nodes;
  Outcome outcome = Attempt([&](std::vector<std::string>&) {
    NodeList observer(nodes);
    instance_->Run(
        {.run_id = "", .command = "braid run", .select = select, .full_refresh = full_refresh},
        observer, {});
  });
  outcome.rows = std::move(nodes);
  return outcome;
}

Outcome World::Move() {
  return Attempt([&](std::vector<std::string>&) { instance_->MoveCaptured(); });
}

http::Response World::Ask(http::Request request) {
  if (router_ == nullptr) {
    router_ = std::make_unique<http::Router>();
    instance_->StartServing(*router_);
  }
  // Shared: an answer may come after nobody waits for it any longer.
  auto answer = std::make_shared<std::promise<http::Response>>();
  std::future<http::Response> answered = answer->get_future();
  try {
    router_->Handle(std::move(request),
                    [answer](http::Response response) { answer->set_value(std::move(response)); });
  } catch (const Error& error) {
    return http::ErrorResponse(error);  // as the server does
  }
  if (answered.wait_for(kPatience) != std::future_status::ready)
    throw std::runtime_error("no answer came");
  return answered.get();
}

}  // namespace braid::golden
