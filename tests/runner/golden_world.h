// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/instance.h"
#include "base/clock.h"
#include "http/message.h"
#include "http/router.h"

namespace braid::golden {

// What a step led to: an error's code (empty: none, with its text) and rows as lines.
struct Outcome {
  std::string code;
  std::string message;
  std::vector<std::string> rows;
};

// A project folder of its own, the Instance that is open on it, its conversations and its services.
// One thread. The folder goes with it.
class World {
 public:
  explicit World(int threads);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const std::filesystem::path& root() const { return root_; }

  // Closes and opens the lake again; conversations are made anew.
  void Restart();
  bool in_transaction() const;
  void WriteFile(const std::string& name, const std::string& content) const;
  Outcome Sql(const std::string& connection, const std::string& sql);
  // Rows: node, action, number of rows or -; separated by tabs.
  Outcome Run(const std::vector<std::string>& select, bool full_refresh);
  Outcome Move();
  http::Response Ask(http::Request request);

 private:
  void Open();
  void Close();

  SystemClock clock_;
  int threads_;
  std::filesystem::path root_;
  std::unique_ptr<app::Instance> instance_;
  std::map<std::string, std::unique_ptr<session::Session>> sessions_;
  std::unique_ptr<http::Router> router_;  // null: not serving
};

}  // namespace braid::golden
