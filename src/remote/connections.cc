// SPDX-License-Identifier: Apache-2.0
#include "remote/connections.h"

#include "base/error.h"

namespace braid::remote {

Connections::Connections(const std::vector<ServerSettings>& servers) {
  for (const ServerSettings& settings : servers)
    servers_.emplace(settings.name, std::make_unique<Server>(settings));
}

const Server& Connections::Find(const std::string& name) const {
  const auto found = servers_.find(name);
  if (found != servers_.end()) return *found->second;
  std::vector<std::string> names;
  for (const auto& entry : servers_) names.push_back(entry.first);
  const auto close = ClosestMatch(name, names);
  throw Error(ErrorCode::kNotFound, "braid.yaml names no such connection: " + name,
              close ? fmt::format("did you mean {}?", *close)
                    : fmt::format("write in braid.yaml: connections: {{{}: {{type: open_inference, "
                                  "url: 'http://host:port'}}}}",
                                  name));
}

}  // namespace braid::remote
