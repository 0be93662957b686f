// SPDX-License-Identifier: Apache-2.0
#include "app/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace braid::app {

namespace {

std::optional<int64_t> NumberIn(const std::string& text, int64_t minimum, int64_t maximum) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < minimum || number > maximum)
    return std::nullopt;
  return number;
}

// Reads one braid.yaml; every failure says where.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& root)
      : file_((root / "braid.yaml").string()), text_(ReadFile(file_)) {
    config_.root = std::filesystem::absolute(root).lexically_normal();
    config_.home = config_.root / ".braid";
  }

  Config Read() {
    YAML::Node root;
    try {
      root = YAML::Load(text_);
    } catch (const YAML::Exception& error) {
      Fail(error.mark, "Not valid YAML: " + error.msg, "");
    }
    if (!root.IsMap())
      Fail(root.Mark(), "braid.yaml holds no settings", "write at least: name: my_project");
    CheckKeys(root, "", {"name", "lake", "engine", "server", "connections", "schedules"});
    if (!root["name"])
      Fail(root.Mark(), "braid.yaml gives no name", "add a line such as: name: my_project");
    config_.name = Text(root["name"], "name");
    if (config_.name.empty()) Fail(root["name"].Mark(), "The name is empty", "");
    ReadLake(root["lake"]);
    ReadEngine(root["engine"]);
    ReadServer(root["server"]);
    ReadConnections(root["connections"]);
    ReadSchedules(root["schedules"]);
    if (config_.engine.temp_directory.empty()) config_.engine.temp_directory = config_.home / "tmp";
    return std::move(config_);
  }

 private:
  [[noreturn]] void Fail(const YAML::Mark& mark, std::string message, std::string hint) const {
    const size_t offset = mark.pos < 0 ? 0 : static_cast<size_t>(mark.pos);
    throw Error(ErrorCode::kConfigInvalid, std::move(message), std::move(hint),
                SpotAt(text_, offset, file_));
  }

  void CheckKeys(const YAML::Node& map, const std::string& where,
                 const std::vector<std::string>& known) const {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const std::string key = entry.first.as<std::string>("");
      if (!seen.insert(key).second) Fail(entry.first.Mark(), "Given twice: " + key, "keep one");
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const auto close = ClosestMatch(key, known);
      Fail(entry.first.Mark(),
           fmt::format("Unknown key{}: {}", where.empty() ? "" : " of " + where, key),
           close ? fmt::format("did you mean {}?", *close)
                 : fmt::format("the keys are {}", fmt::join(known, ", ")));
    }
  }

  // A scalar with ${NAME} replaced from the environment.
  std::string Text(const YAML::Node& node, const std::string& key) const {
    if (!node.IsScalar()) Fail(node.Mark(), "Not a single value: " + key, "");
    const std::string& raw = node.Scalar();
    std::string text;
    for (size_t at = 0; at < raw.size();) {
      const size_t end = raw.compare(at, 2, "${") == 0 ? raw.find('}', at) : std::string::npos;
      if (end == std::string::npos) {
        text += raw[at++];
        continue;
      }
      const std::string name = raw.substr(at + 2, end - at - 2);
      const char* value = std::getenv(name.c_str());
      if (value == nullptr)
        Fail(node.Mark(), fmt::format("{} names a variable that is not set: {}", key, name),
             "export " + name + "=…");
      text += value;
      at = end + 1;
    }
    return text;
  }

  void ReadLake(const YAML::Node& lake) {
    if (!lake || lake.IsNull()) return;
    CheckMap(lake, "lake");
    CheckKeys(lake, "lake", {"home", "catalog"});
    if (lake["home"]) config_.home = config_.root / Text(lake["home"], "lake.home");
    config_.home = config_.home.lexically_normal();
    if (!lake["catalog"]) return;
    const std::string catalog = Text(lake["catalog"], "lake.catalog");
    if (catalog.starts_with("postgres:"))
      Fail(lake["catalog"].Mark(), "A catalogue in PostgreSQL is not available",
           "write catalog: sqlite");
    if (catalog != "sqlite")
      Fail(lake["catalog"].Mark(), "Not a kind of catalogue: " + catalog, "write catalog: sqlite");
  }

  void ReadEngine(const YAML::Node& engine) {
    if (!engine || engine.IsNull()) return;
    CheckMap(engine, "engine");
    CheckKeys(engine, "engine", {"threads", "memory_limit", "temp_directory"});
    if (engine["threads"]) {
      const std::string text = Text(engine["threads"], "engine.threads");
      const std::optional<int64_t> threads = NumberIn(text, 0, 1024);
      if (!threads)
        Fail(engine["threads"].Mark(), "Not a number of threads: " + text, "0 means all cores");
      config_.engine.threads = static_cast<int>(*threads);
    }
    if (engine["memory_limit"])
      config_.engine.memory_limit = Text(engine["memory_limit"], "engine.memory_limit");
    if (engine["temp_directory"])
      config_.engine.temp_directory =
          config_.root / Text(engine["temp_directory"], "engine.temp_directory");
  }

  void ReadServer(const YAML::Node& server) {
    if (!server || server.IsNull()) return;
    CheckMap(server, "server");
    CheckKeys(server, "server",
              {"listen", "access_log", "timeout_ms", "drain_delay_ms", "max_body_bytes",
               "max_connections", "max_queued_requests"});
    ReadServerLimits(server);
    if (!server["listen"]) return;
    try {
      ParseListen(Text(server["listen"], "server.listen"), config_.listen_address,
                  config_.listen_port);
    } catch (const Error& error) {
      if (error.where()) throw;
      Fail(server["listen"].Mark(), error.message(), error.hint());
    }
  }

  void ReadServerLimits(const YAML::Node& server) {
    ServerSettings& settings = config_.server;
    if (server["access_log"]) {
      settings.access_log = Text(server["access_log"], "server.access_log");
      if (settings.access_log.empty())
        Fail(server["access_log"].Mark(), "The access log has no name",
             "write off, stderr or a file");
      if (settings.access_log != "off" && settings.access_log != "stderr")
        settings.access_log = (config_.root / settings.access_log).lexically_normal().string();
    }
    constexpr int64_t kHour = 3'600'000;
    settings.timeout =
        std::chrono::milliseconds(Number(server, "timeout_ms", 0, kHour, settings.timeout.count()));
    settings.drain_delay = std::chrono::milliseconds(
        Number(server, "drain_delay_ms", 0, kHour, settings.drain_delay.count()));
    settings.max_body_bytes =
        static_cast<size_t>(Number(server, "max_body_bytes", 1'024, 1 << 30, int64_t{8} << 20));
    settings.max_connections =
        static_cast<size_t>(Number(server, "max_connections", 1, 1'000'000, 4'096));
    settings.max_queued_requests =
        static_cast<size_t>(Number(server, "max_queued_requests", 1, 1'000'000, 10'000));
  }

  int64_t Number(const YAML::Node& server, const std::string& key, int64_t minimum, int64_t maximum,
                 int64_t otherwise) const {
    if (!server[key]) return otherwise;
    const std::string text = Text(server[key], "server." + key);
    const std::optional<int64_t> number = NumberIn(text, minimum, maximum);
    if (!number)
      Fail(server[key].Mark(), fmt::format("Not a value of server.{}: {}", key, text),
           fmt::format("it is a whole number from {} to {}", minimum, maximum));
    return *number;
  }

  // Errors say nothing of values, which may be secrets.
  void ReadConnections(const YAML::Node& connections) {
    if (!connections || connections.IsNull()) return;
    CheckMap(connections, "connections");
    for (const auto& entry : connections) {
      const std::string name = entry.first.as<std::string>("");
      const std::string key = "connections." + name;
      const YAML::Node& node = entry.second;
      if (name.empty()) Fail(entry.first.Mark(), "A connection has no name", "");
      CheckMap(node, key);
      CheckKeys(node, key, {"type", "url", "token"});
      for (const char* needed : {"type", "url"})
        if (!node[needed])
          Fail(node.Mark(), fmt::format("{} gives no {}", key, needed),
               "write {type: open_inference, url: 'http://host:port'}");
      const std::string type = Text(node["type"], key + ".type");
      if (type != "open_inference")
        Fail(node["type"].Mark(), "Not a type of connection: " + type,
             "write type: open_inference");
      remote::ServerSettings settings{.name = name, .url = Text(node["url"], key + ".url")};
      while (settings.url.ends_with('/')) settings.url.pop_back();
      if (const char* wrong = WrongAddress(settings.url); wrong != nullptr)
        Fail(node["url"].Mark(), fmt::format("{}.url {}", key, wrong),
             "write http://host:port or https://host, perhaps with a path");
      if (node["token"]) settings.token = Text(node["token"], key + ".token");
      if (!std::all_of(settings.token.begin(), settings.token.end(),
                       [](unsigned char c) { return c > 0x20 && c < 0x7f; }))
        Fail(node["token"].Mark(), key + ".token holds a space or a character beyond ASCII",
             "give the token alone, without Bearer");
      config_.connections.push_back(std::move(settings));
    }
  }

  // What is wrong with an address; nullptr: nothing.
  static const char* WrongAddress(std::string_view url) {
    const size_t scheme = url.starts_with("http://")    ? 7
                          : url.starts_with("https://") ? 8
                                                        : std::string_view::npos;
    if (scheme == std::string_view::npos) return "begins neither with http:// nor with https://";
    const std::string_view host = url.substr(scheme, url.find('/', scheme) - scheme);
    if (host.empty() || host.starts_with(':')) return "names no host";
    if (host.find('@') != std::string_view::npos) return "holds a name or a password";
    for (const unsigned char c : url)
      if (c <= 0x20 || c >= 0x7f || c == '?' || c == '#')
        return "holds a character that no such address has";
    return nullptr;
  }

  void ReadSchedules(const YAML::Node& schedules) {
    if (!schedules || schedules.IsNull()) return;
    if (!schedules.IsSequence())
      Fail(schedules.Mark(), "Not a list: schedules", "write: - cron: \"0 3 * * *\"");
    for (const YAML::Node& entry : schedules) config_.schedules.push_back(ReadSchedule(entry));
  }

  Schedule ReadSchedule(const YAML::Node& entry) const {
    CheckMap(entry, "schedules");
    CheckKeys(entry, "schedules", {"cron", "on", "every", "select", "full_refresh"});
    if (entry["cron"].IsDefined() == entry["on"].IsDefined())
      Fail(entry.Mark(), "A schedule has either cron or on",
           "write cron: \"0 3 * * *\", or on: new_data");
    Schedule schedule;
    if (entry["cron"]) {
      const std::string text = Text(entry["cron"], "schedules.cron");
      Placed(entry["cron"], [&] { schedule.cron.emplace(text).Next(0); });
      schedule.text = "cron " + text;
      if (entry["every"]) Fail(entry["every"].Mark(), "every goes with on, not with cron", "");
    } else {
      const std::string on = Text(entry["on"], "schedules.on");
      if (on != "new_data" && on != "new_labels")
        Fail(entry["on"].Mark(), "Not an occasion for a run: " + on,
             "write on: new_data or on: new_labels");
      schedule.when = on == "new_data" ? Schedule::When::kNewData : Schedule::When::kNewLabels;
      schedule.text = "on " + on;
      if (entry["every"])
        Placed(entry["every"], [&] {
          schedule.every_us = loop::ParseDuration(Text(entry["every"], "schedules.every"));
        });
    }
    if (const YAML::Node select = entry["select"]) {
      if (select.IsSequence())
        for (const YAML::Node& item : select)
          schedule.select.push_back(Text(item, "schedules.select"));
      else
        schedule.select.push_back(Text(select, "schedules.select"));
    }
    if (entry["full_refresh"]) {
      const std::string text = Text(entry["full_refresh"], "schedules.full_refresh");
      if (text != "true" && text != "false")
        Fail(entry["full_refresh"].Mark(), "Not true or false: " + text, "");
      schedule.full_refresh = text == "true";
    }
    return schedule;
  }

  // An error without a place is of this value.
  template <typename Work>
  void Placed(const YAML::Node& node, Work work) const {
    try {
      work();
    } catch (const Error& error) {
      if (error.where()) throw;
      Fail(node.Mark(), error.message(), error.hint());
    }
  }

  void CheckMap(const YAML::Node& node, const std::string& key) const {
    if (!node.IsMap()) Fail(node.Mark(), "Not a group of settings: " + key, "");
  }

  void RefuseUnlessEmpty(const YAML::Node& node, const std::string& key) const {
    if (!node || node.IsNull() || node.size() == 0) return;
    Fail(node.Mark(), "Not available yet: " + key, "leave it empty");
  }

  std::string file_;
  std::string text_;
  Config config_;
};

}  // namespace

void ParseListen(const std::string& text, std::string& address, uint16_t& port) {
  const size_t colon = text.rfind(':');
  int number = -1;
  if (colon != std::string::npos)
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), number);
  if (colon == std::string::npos || colon == 0 || number < 0 || number > 65535)
    throw Error(ErrorCode::kUsage, "Not an address to listen on: " + text,
                "write host:port, such as 127.0.0.1:8080");
  address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (address == "localhost") address = "127.0.0.1";
  port = static_cast<uint16_t>(number);
}

Config LoadConfig(const std::filesystem::path& root) { return Reader(root).Read(); }

std::optional<std::filesystem::path> FindProject(const std::filesystem::path& start) {
  for (std::filesystem::path folder = std::filesystem::absolute(start);;
       folder = folder.parent_path()) {
    if (std::filesystem::exists(folder / "braid.yaml")) return folder;
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

}  // namespace braid::app
