#include "server/runtime/file_modes.h"

#include <sys/stat.h>

namespace penstock::server {
namespace {

// Before MakeFilesPrivate, or without it: what keeps the socket to the user.
mode_t started_with = 077;

}  // namespace

void MakeFilesPrivate() { started_with = umask(077); }

mode_t SocketMode() { return 0666 & ~started_with; }

}  // namespace penstock::server
