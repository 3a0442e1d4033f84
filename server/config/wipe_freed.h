// Overwrites the memory of whatever has read secrets.
#ifndef PENSTOCK_SERVER_CONFIG_WIPE_FREED_H_
#define PENSTOCK_SERVER_CONFIG_WIPE_FREED_H_

namespace penstock::server {

// While one lives, all that its thread gives back by `delete` is overwritten, whoever has allocated
// it: texts and containers of ours, and the nodes, tokens and streams of the YAML reader, which
// cannot be asked to. What lies on the stack is not, such as a text of less than 16 bytes, nor what
// a C library frees. Objects may be nested; each stays on its thread. A build with a sanitizer,
// which has a heap of its own, overwrites nothing.
class WipeFreed {
 public:
  WipeFreed();
  ~WipeFreed();
  WipeFreed(const WipeFreed&) = delete;
  WipeFreed& operator=(const WipeFreed&) = delete;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_WIPE_FREED_H_
