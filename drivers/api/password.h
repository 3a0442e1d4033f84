// A password that may change while it is in use.
#ifndef PENSTOCK_DRIVERS_API_PASSWORD_H_
#define PENSTOCK_DRIVERS_API_PASSWORD_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace penstock::driver {

// Copies are one: what is set by one of them, all of them have. So whoever connects asks
// at each attempt. A secret: it never appears in an error, a log or a metric. What it was before
// is wiped from memory when it changes. Thread-safe, but for assigning to the object itself.
class Password {
 public:
  // Given the password so far, returns the one that takes its place, or nothing if it goes on.
  // Several threads may call it at once. It may read a file, but does not wait for anybody.
  using Source = std::function<std::optional<std::string>(const std::string& so_far)>;

  // Empty: there is none.
  explicit Password(std::string text = "");

  // Returns the password for an attempt to connect: asks the source, if there is one.
  std::string Get() const;

  // Returns the password that Get returned last, or that was set since, and asks nobody.
  std::string Last() const;

  // Changes the password of every copy. The source, if there was one, is not asked any more.
  void Set(std::string text);

  // From now on `source` is asked at each Get, by every copy.
  void Follow(Source source);

  // Gives every copy the last password and the source of `other`.
  void Take(const Password& other);

  // The last password stays; the source is not asked any more.
  void Keep();

 private:
  struct State;
  void Replace(std::string text, std::shared_ptr<const Source> source);

  std::shared_ptr<State> state_;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_PASSWORD_H_
