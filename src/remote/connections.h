// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "remote/remote_server.h"

namespace braid::remote {

// The servers that may be asked: those that braid.yaml names. Immutable.
class Connections {
 public:
  Connections() = default;
  explicit Connections(const std::vector<ServerSettings>& servers);
  // Throws kNotFound, with the nearest name or what to write.
  const Server& Find(const std::string& name) const;

 private:
  std::map<std::string, std::unique_ptr<Server>> servers_;
};

}  // namespace braid::remote
