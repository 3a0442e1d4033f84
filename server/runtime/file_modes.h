// The modes of the files that the daemon makes.
#ifndef PENSTOCK_SERVER_RUNTIME_FILE_MODES_H_
#define PENSTOCK_SERVER_RUNTIME_FILE_MODES_H_

#include <sys/types.h>

namespace penstock::server {

// Makes every file that this process creates from now on 0600 at most and every folder 0700,
// whatever its umask was: the files of SQLite and RocksDB hold what is in the databases. Existing
// files keep their modes. Call once, before there are threads.
void MakeFilesPrivate();

// The mode of a unix socket: 0666 less the umask that the process was started with, so that
// the operator's umask says who may connect (systemd's `UMask=0007`: the group).
mode_t SocketMode();

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_FILE_MODES_H_
