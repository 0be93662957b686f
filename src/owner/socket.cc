// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "owner/socket_internal.h"

namespace braid::owner {

std::optional<sockaddr_un> SocketAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // An empty name would be one of Linux's abstract sockets.
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  path.copy(address.sun_path, path.size());
  return address;
}

bool PeerIsSameUser(const FileDescriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid();
}

bool SendAll(const FileDescriptor& socket, std::string_view bytes, const std::stop_token& give_up) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    const bool timed_out = errno == EAGAIN || errno == EWOULDBLOCK;
    if (!timed_out || !give_up.stop_possible() || give_up.stop_requested()) return false;
  }
  return true;
}

std::optional<Frame> ReceiveFrame(const FileDescriptor& socket, FrameDecoder& decoder) {
  for (;;) {
    if (std::optional<Frame> frame = decoder.Next()) return frame;
    std::array<char, size_t{1} << 16> buffer;
    const ssize_t got = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    decoder.Feed({buffer.data(), static_cast<size_t>(got)});
  }
}

}  // namespace braid::owner
