// The disk that sorting, big intermediate results and temporary tables take.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_TEMP_SPACE_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_TEMP_SPACE_H_

#include <cstdint>
#include <memory>
#include <string>

struct sqlite3_vfs;

namespace penstock::sqlite_engine {

// The code that a write returns when the space is used up: an extended code of SQLITE_FULL that
// SQLite itself does not have.
constexpr int kTempSpaceFull = 13 | (0x70 << 8);

// SQLite puts what it does not keep in memory into files without a name, and sets no
// limit on them: one `ORDER BY` or `WITH RECURSIVE` fills the disk. This is a VFS which
// is the system's own but that it counts those files. Thread-safe.
class TempSpace {
 public:
  // `limit`: bytes of all connections that were opened with name() together.
  explicit TempSpace(int64_t limit);
  // They are closed by then.
  ~TempSpace();
  TempSpace(const TempSpace&) = delete;
  TempSpace& operator=(const TempSpace&) = delete;

  // The name to give to sqlite3_open_v2.
  const char* name() const { return name_.c_str(); }
  // How many bytes are in use.
  int64_t used() const;

 private:
  struct Vfs;

  const std::string name_;
  const std::unique_ptr<Vfs> vfs_;
};

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_TEMP_SPACE_H_
