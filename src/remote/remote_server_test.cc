// SPDX-License-Identifier: Apache-2.0
// The exchange itself is tested by tests/cli/remote_model_test.py, against a server.
#include "remote/remote_server.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "remote/connections.h"

namespace braid::remote {
namespace {

TEST(ServerTest, PausesDoubleUpToFiveSeconds) {
  std::vector<int64_t> pauses;
  for (int64_t retry = 1; retry <= 8; ++retry) pauses.push_back(PauseBefore(retry).count());
  EXPECT_EQ(pauses, (std::vector<int64_t>{100, 200, 400, 800, 1600, 3200, 5000, 5000}));
}

TEST(ServerTest, WhatCannotBeReachedIsTriedAgain) {
  // Port 1 of the own machine: nobody listens there.
  const Server server({.name = "nobody", .url = "http://127.0.0.1:1", .token = "secret"});
  try {
    server.Ask({.path = "/v2", .retries = 1}, [] { return false; });
    FAIL() << "answered";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kRemoteServer);
    EXPECT_NE(error.message().find("after 2 tries: GET http://127.0.0.1:1/v2"), std::string::npos)
        << error.message();
    EXPECT_EQ(error.ToText().find("secret"), std::string::npos);
  }
}

TEST(ServerTest, StopsBetweenTries) {
  const Server server({.name = "nobody", .url = "http://127.0.0.1:1"});
  int asked = 0;
  try {
    server.Ask({.path = "/v2", .retries = 10}, [&] { return ++asked > 3; });
    FAIL() << "answered";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
}

TEST(ConnectionsTest, NamesTheNearest) {
  const std::vector<ServerSettings> servers = {{.name = "scorer", .url = "http://127.0.0.1:1"}};
  const Connections connections(servers);
  EXPECT_EQ(connections.Find("scorer").url(), "http://127.0.0.1:1");
  try {
    connections.Find("scorrer");
    FAIL() << "found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_EQ(error.hint(), "did you mean scorer?");
  }
}

}  // namespace
}  // namespace braid::remote
