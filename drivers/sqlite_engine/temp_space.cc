#include "drivers/sqlite_engine/temp_space.h"

#include <sqlite3.h>

#include <atomic>

#include "fmt/format.h"

namespace penstock::sqlite_engine {

static_assert((kTempSpaceFull & 0xff) == SQLITE_FULL);

struct TempSpace::Vfs : sqlite3_vfs {
  // Counts `change` more bytes. False: there is no room for them.
  bool Take(int64_t change) {
    const int64_t before = used.fetch_add(change, std::memory_order_relaxed);
    if (change <= 0 || before + change <= limit) return true;
    used.fetch_sub(change, std::memory_order_relaxed);
    return false;
  }

  sqlite3_vfs* system = nullptr;
  int64_t limit = 0;
  std::atomic<int64_t> used{0};
};

namespace {

// The methods of a file without a name, which has the system's own file behind it in
// memory. A template, as TempSpace::Vfs is private.
template <typename Vfs>
struct Files {
  struct File : sqlite3_file {
    Vfs* vfs;
    // The size that was counted.
    int64_t size;

    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static File* Of(sqlite3_file* file) { return static_cast<File*>(file); }
  static sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real(); }

  static int Close(sqlite3_file* file) {
    Of(file)->vfs->Take(-Of(file)->size);
    return Real(file)->pMethods->xClose(Real(file));
  }

  static int Write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    File* counted = Of(file);
    const int64_t growth = offset + count - counted->size;
    if (growth > 0) {
      if (!counted->vfs->Take(growth)) return kTempSpaceFull;
      counted->size += growth;
    }
    return Real(file)->pMethods->xWrite(Real(file), bytes, count, offset);
  }

  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    File* counted = Of(file);
    if (size < counted->size) {
      counted->vfs->Take(size - counted->size);
      counted->size = size;
    }
    return Real(file)->pMethods->xTruncate(Real(file), size);
  }

  static int Read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
    return Real(file)->pMethods->xRead(Real(file), bytes, count, offset);
  }
  static int Sync(sqlite3_file* file, int flags) {
    return Real(file)->pMethods->xSync(Real(file), flags);
  }
  static int Size(sqlite3_file* file, sqlite3_int64* size) {
    return Real(file)->pMethods->xFileSize(Real(file), size);
  }
  static int Lock(sqlite3_file* file, int level) {
    return Real(file)->pMethods->xLock(Real(file), level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    return Real(file)->pMethods->xUnlock(Real(file), level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* locked) {
    return Real(file)->pMethods->xCheckReservedLock(Real(file), locked);
  }
  static int Control(sqlite3_file* file, int operation, void* argument) {
    // It would make room that was not counted.
    if (operation == SQLITE_FCNTL_SIZE_HINT || operation == SQLITE_FCNTL_CHUNK_SIZE) {
      return SQLITE_OK;
    }
    return Real(file)->pMethods->xFileControl(Real(file), operation, argument);
  }
  static int SectorSize(sqlite3_file* file) {
    return Real(file)->pMethods->xSectorSize(Real(file));
  }
  static int Characteristics(sqlite3_file* file) {
    return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
  }

  // Version 1 has no memory mapping, past which nothing could be counted.
  static constexpr sqlite3_io_methods kMethods = {1,
                                                  Close,
                                                  Read,
                                                  Write,
                                                  Truncate,
                                                  Sync,
                                                  Size,
                                                  Lock,
                                                  Unlock,
                                                  CheckReservedLock,
                                                  Control,
                                                  SectorSize,
                                                  Characteristics,
                                                  nullptr,
                                                  nullptr,
                                                  nullptr,
                                                  nullptr,
                                                  nullptr,
                                                  nullptr};

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                  int* out_flags) {
    auto* self = static_cast<Vfs*>(vfs);
    if (name != nullptr) return self->system->xOpen(self->system, name, file, flags, out_flags);
    File* counted = Of(file);
    counted->pMethods = nullptr;
    counted->vfs = self;
    counted->size = 0;
    const int code = self->system->xOpen(self->system, name, counted->real(), flags, out_flags);
    // SQLite closes what has methods, also after a failure.
    if (counted->real()->pMethods != nullptr) counted->pMethods = &kMethods;
    return code;
  }
};

}  // namespace

TempSpace::TempSpace(int64_t limit)
    : name_([] {
        static std::atomic<uint64_t> next{0};
        return fmt::format("penstock-temp-{}", next++);
      }()),
      vfs_(new Vfs) {
  sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
  static_cast<sqlite3_vfs&>(*vfs_) = *system;
  vfs_->system = system;
  vfs_->limit = limit;
  vfs_->zName = name_.c_str();
  vfs_->pNext = nullptr;
  vfs_->szOsFile = static_cast<int>(sizeof(Files<Vfs>::File)) + system->szOsFile;
  vfs_->xOpen = Files<Vfs>::Open;
  sqlite3_vfs_register(vfs_.get(), 0);
}

TempSpace::~TempSpace() { sqlite3_vfs_unregister(vfs_.get()); }

int64_t TempSpace::used() const { return vfs_->used.load(std::memory_order_relaxed); }

}  // namespace penstock::sqlite_engine
