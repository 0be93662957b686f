// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/version.h"
#include "base/error.h"
#include "engine/database.h"

namespace braid::app {

namespace {

constexpr std::string_view kFooter =
    "Exit codes: 0 done, 1 a statement or node failed, 2 wrong usage, 3 an expectation failed the\n"
    "update, 4 the project is invalid, 75 the lake is busy, 130 interrupted.";

constexpr int kMostWaitSeconds = 86400;

// What CLI11 fills; the same options are taken before and after the command.
struct Parsed {
  CommandLine line;
  std::string format = "table";
  double wait_seconds = 60;
  InitCommand init;
  PlanCommand plan;
  RunCommand run;
  ServeCommand serve;
  std::string query;
  std::string file;
  std::string listen;
};

void AddGlobals(CLI::App& app, Parsed& parsed) {
  app.add_option("-C", parsed.line.directory,
                 "The project's folder (default: search upward for braid.yaml)");
  app.add_option("--format", parsed.format, "table, csv, json or markdown");
  app.add_option("--wait", parsed.wait_seconds, "Seconds to wait for a lake that is busy (60)")
      ->check(CLI::Range(0, kMostWaitSeconds));
}

CLI::App* AddCommand(CLI::App& app, Parsed& parsed, const std::string& name,
                     const std::string& what) {
  CLI::App* command = app.add_subcommand(name, what);
  AddGlobals(*command, parsed);
  return command;
}

void AddCommands(CLI::App& app, Parsed& parsed) {
  CLI::App* init = AddCommand(app, parsed, "init", "Make a project in a folder");
  init->add_option("DIR", parsed.init.folder, "The folder")->required();
  init->add_option("--template", parsed.init.template_name, "What it starts with: empty");
  CLI::App* plan = AddCommand(app, parsed, "plan", "Show what a run would do, and why");
  plan->add_option("--select", parsed.plan.select,
                   "Nodes: gold.routes, 'gold.*', n+ (and after), +n (and before)");
  plan->add_flag("--full-refresh", parsed.plan.full_refresh, "Start what is selected from nothing");
  CLI::App* run = AddCommand(app, parsed, "run", "Bring the lake up to date");
  run->add_option("--select", parsed.run.select,
                  "Nodes: gold.routes, 'gold.*', n+ (and after), +n (and before)");
  run->add_flag("--full-refresh", parsed.run.full_refresh, "Start what is selected from nothing");
  CLI::App* sql = AddCommand(app, parsed, "sql", "Run SQL: a query, a file, a pipe, or a prompt");
  sql->add_option("QUERY", parsed.query, "One or more statements");
  sql->add_option("-f,--file", parsed.file, "A file of statements; - is standard input");
  CLI::App* serve =
      AddCommand(app, parsed, "serve", "Answer requests to the project's services over HTTP");
  serve->add_option("--listen", parsed.listen, "host:port on loopback; port 0 picks one");
  AddCommand(app, parsed, "check", "Find what is wrong with the project without running it");
}

void Decide(const CLI::App& app, Parsed& parsed) {
  CommandLine& line = parsed.line;
  line.format = ParseOutputFormat(parsed.format);
  line.wait = std::chrono::milliseconds(static_cast<int64_t>(parsed.wait_seconds * 1000));
  const std::string name = app.get_subcommands().front()->get_name();
  if (name == "init") line.command = parsed.init;
  if (name == "plan") line.command = parsed.plan;
  if (name == "run") line.command = parsed.run;
  if (name == "check") line.command = CheckCommand{};
  if (name == "serve")
    line.command =
        ServeCommand{parsed.listen.empty() ? std::nullopt : std::optional(parsed.listen)};
  if (name == "sql") {
    const CLI::App* sql = app.get_subcommands().front();
    SqlCommand command;
    if (sql->count("QUERY") > 0) command.query = parsed.query;
    if (sql->count("--file") > 0) command.file = parsed.file;
    if (command.query && command.file)
      throw Error(ErrorCode::kUsage, "Both a query and a file are given", "give one of them");
    line.command = command;
  }
}

ParsedText UsageText(const std::vector<std::string>& arguments, const std::string& message) {
  std::string hint = "braid --help lists the commands";
  for (const std::string& argument : arguments) {
    if (argument.starts_with("-")) continue;
    const std::vector<std::string> commands = {"init", "plan", "run", "sql", "serve", "check"};
    const auto close = ClosestMatch(argument, commands);
    if (std::find(commands.begin(), commands.end(), argument) != commands.end()) {
      hint = fmt::format("braid {} --help says what it takes", argument);
    } else if (close) {
      hint = fmt::format("did you mean braid {}?", *close);
    }
    break;
  }
  return {Error(ErrorCode::kUsage, message, hint).ToText(), 2};
}

}  // namespace

std::variant<CommandLine, ParsedText> ParseCommandLine(const std::vector<std::string>& arguments) {
  Parsed parsed;
  CLI::App app(
      "One strand for data and models: pipelines, models, services and what they capture, in SQL.",
      "braid");
  app.footer(std::string(kFooter));
  app.set_version_flag("--version",
                       fmt::format("braid {} (DuckDB {})", kVersion, engine::LibraryVersion()));
  app.require_subcommand(1);
  AddGlobals(app, parsed);
  AddCommands(app, parsed);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
    Decide(app, parsed);
  } catch (const CLI::CallForHelp&) {
    return ParsedText{app.help("", CLI::AppFormatMode::Normal), 0};
  } catch (const CLI::CallForVersion&) {
    return ParsedText{app.version() + "\n", 0};
  } catch (const CLI::ParseError& error) {
    return UsageText(arguments, error.what());
  } catch (const Error& error) {
    return ParsedText{error.ToText(), 2};
  }
  return parsed.line;
}

}  // namespace braid::app
