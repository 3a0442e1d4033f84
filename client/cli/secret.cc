#include "client/cli/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "client/src/read_file.h"
#include "fmt/format.h"
#include "text/wipe.h"

namespace penstock::cli {
namespace {

using Action = SecretCommand::Action;
using sealing::PublicKey;
using sealing::SecretKey;

constexpr const char* kFooter =
    R"(The configuration of penstockd may have sealed:… in the place of a password or a
connection string. Whoever has the public key can seal; penstockd needs the key's file,
which `secret_keys` names:

  penstock secret keygen /etc/penstock/secret.key
  penstock secret seal --key /etc/penstock/secret.key < password.txt

seal and open read standard input, and leave out the end of its line: a secret is never
an argument, because everybody on the machine can see those.)";

void SetAction(Action action, Options* options) {
  options->command = Command::kSecret;
  options->secret.action = action;
}

CLI::App* Add(CLI::App* secret, const std::string& name, const std::string& description,
              Action action, Options* options) {
  CLI::App* added = secret->add_subcommand(name, description);
  added->fallthrough();
  added->final_callback([options, action] { SetAction(action, options); });
  return added;
}

CLI::Option* AddKey(CLI::App* command, Options* options) {
  return command->add_option("--key", options->secret.file, "A file that keygen has made")
      ->type_name("FILE");
}

// Whoever else may use the file has the secrets that were sealed for it.
absl::Status CheckMode(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || (info.st_mode & 077) == 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      fmt::format("others than its owner may use the key's file \"{}\"; chmod 600 it", path));
}

absl::StatusOr<SecretKey> ReadKey(const std::string& path) {
  absl::StatusOr<std::string> text = internal::ReadFile(path);
  if (!text.ok()) return text.status();
  absl::Status status = CheckMode(path);
  absl::StatusOr<SecretKey> key = SecretKey::Parse(*text);
  Wipe(&*text);
  if (status.ok()) status = key.status();
  if (!status.ok()) return status;
  return key;
}

absl::StatusOr<std::string> ReadSecret(int in) {
  absl::StatusOr<std::string> text = internal::ReadAll(in, "standard input");
  if (!text.ok()) return text;
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  if (text->empty()) {
    return absl::InvalidArgumentError("standard input is empty; write the secret into it");
  }
  return text;
}

absl::Status CannotWrite(const std::string& path, int error) {
  const std::string message = fmt::format("cannot write \"{}\": {}", path, std::strerror(error));
  if (error != EEXIST) return absl::InternalError(message);
  return absl::AlreadyExistsError(message +
                                  "; name a new file: what is sealed for that key needs it");
}

// Makes the file, which is the owner's alone from the beginning.
absl::Status WriteKey(const std::string& path, std::string text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return CannotWrite(path, errno);
  text += '\n';
  errno = ENOSPC;  // the reason for a part
  const bool written =
      write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  Wipe(&text);
  if (written) return absl::OkStatus();
  unlink(path.c_str());
  return CannotWrite(path, error);
}

absl::Status Print(std::string text, Output* out) {
  *out->buffer() += text;
  *out->buffer() += '\n';
  Wipe(&text);
  return out->Flush();
}

absl::Status Generate(const std::string& path, Output* out) {
  const SecretKey key = SecretKey::Generate();
  absl::Status written = WriteKey(path, key.Text());
  return written.ok() ? Print(key.public_key().Text(), out) : written;
}

absl::Status Open(SecretInputs* inputs, Output* out) {
  absl::StatusOr<std::string> secret = inputs->key->Open(inputs->text);
  return secret.ok() ? Print(*std::move(secret), out) : secret.status();
}

absl::Status Seal(SecretInputs* inputs, Output* out) {
  const PublicKey key = inputs->key ? inputs->key->public_key() : *inputs->public_key;
  std::string sealed = key.Seal(inputs->text);
  Wipe(&inputs->text);
  return Print(std::move(sealed), out);
}

}  // namespace

void AddSecret(CLI::App* app, Options* options) {
  CLI::App* secret =
      app->add_subcommand("secret", "Make keys, and seal secrets of penstockd's configuration");
  secret->fallthrough();
  secret->require_subcommand(1);
  secret->footer(kFooter);
  for (const auto& [name, description, action] :
       {std::tuple("keygen", "Make a key and its file, and print the public key", Action::kKeygen),
        std::tuple("public", "Print the public key of a key's file", Action::kPublic)}) {
    Add(secret, name, description, action, options)
        ->add_option("FILE", options->secret.file, "The key's file")
        ->required()
        ->type_name("");
  }
  CLI::App* seal = Add(secret, "seal", "Seal what standard input says", Action::kSeal, options);
  CLI::Option* key = AddKey(seal, options);
  CLI::Option* public_key =
      seal->add_option("--public-key", options->secret.public_key, "A key that keygen has printed")
          ->type_name("KEY")
          ->excludes(key);
  seal->final_callback([options, key, public_key] {
    if (key->count() + public_key->count() == 0) {
      throw CLI::ValidationError("seal needs --public-key or --key");
    }
    SetAction(Action::kSeal, options);
  });
  AddKey(Add(secret, "open", "Print what standard input seals", Action::kOpen, options), options)
      ->required();
}

absl::StatusOr<SecretInputs> ReadSecretInputs(const Options& options, int in) {
  const SecretCommand& wanted = options.secret;
  SecretInputs inputs;
  if (wanted.action == Action::kKeygen) return inputs;
  if (!wanted.file.empty()) {
    const absl::StatusOr<SecretKey> key = ReadKey(wanted.file);
    if (!key.ok()) return key.status();
    inputs.key = *key;
  } else {
    const absl::StatusOr<PublicKey> key = PublicKey::Parse(wanted.public_key);
    if (!key.ok()) return key.status();
    inputs.public_key = *key;
  }
  if (wanted.action == Action::kPublic) return inputs;
  absl::StatusOr<std::string> text = ReadSecret(in);
  if (!text.ok()) return text.status();
  inputs.text = *std::move(text);
  return inputs;
}

absl::Status RunSecret(const Options& options, SecretInputs inputs, Output* out) {
  switch (options.secret.action) {
    case Action::kKeygen: return Generate(options.secret.file, out);
    case Action::kPublic: return Print(inputs.key->public_key().Text(), out);
    case Action::kSeal: return Seal(&inputs, out);
    case Action::kOpen: break;
  }
  return Open(&inputs, out);
}

}  // namespace penstock::cli
