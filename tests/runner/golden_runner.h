// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "golden_script.h"
#include "golden_world.h"

namespace braid::golden {

struct RunnerOptions {
  std::filesystem::path file;
  std::filesystem::path data;  // what ${DATA} stands for
  int threads = 2;             // of the engine
  bool restart_each = false;   // after each step that leaves no transaction open
  bool rewrite = false;        // put what came into the file
};

// Runs one golden file in a world of its own. Throws ScriptError for a file that is written
// wrongly.
class Runner {
 public:
  explicit Runner(RunnerOptions options);

  // The number of steps whose outcome was not the expected one; each is told on stderr.
  int Run();

 private:
  void Step(Record record);
  void Bind(Record& record) const;
  void Statement(const Record& record);
  void Query(const Record& record);
  void Await(const Record& record);
  void Let(const Record& record);
  void RunProject(const Record& record);
  void Http(const Record& record);
  void Move(const Record& record);
  // Takes note of a difference: for the file, or told.
  void Differs(const Record& record, const std::vector<std::string>& expected,
               const std::vector<std::string>& got, const std::string& message = "");
  void Rewrite(std::string text) const;

  RunnerOptions options_;
  World world_;
  std::map<std::string, std::string> values_;
  std::map<size_t, std::pair<size_t, std::vector<std::string>>> replacements_;  // begin → end, text
  int failures_ = 0;
};

}  // namespace braid::golden
