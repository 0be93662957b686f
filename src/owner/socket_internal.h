// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/un.h>

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/file.h"
#include "owner/command_protocol.h"

namespace braid::owner {

// What both ends of a conversation need of a Unix socket. A peer that is gone is no error, but how
// conversations end; whatever the kernel says of a connection counts as that.

// Empty for a path that no socket can have (it takes 107 bytes at most).
std::optional<sockaddr_un> SocketAddress(const std::string& path);

bool PeerIsSameUser(const FileDescriptor& socket);

// False when the peer is gone. A timeout that is set on the socket is one too, unless `give_up` can
// be requested: then only once it is.
bool SendAll(const FileDescriptor& socket, std::string_view bytes,
             const std::stop_token& give_up = {});

// The next frame, waiting for it; empty when the peer is gone or a timeout set on the socket ran
// out. Throws Error MALFORMED_REQUEST.
std::optional<Frame> ReceiveFrame(const FileDescriptor& socket, FrameDecoder& decoder);

}  // namespace braid::owner
