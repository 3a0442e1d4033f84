// The parts of --help that are not about single options.
#ifndef PENSTOCK_CLIENT_CLI_HELP_TEXT_H_
#define PENSTOCK_CLIENT_CLI_HELP_TEXT_H_

namespace penstock::cli {

// Printed above the options.
inline constexpr char kDescription[] =
    "Runs SQL through a Penstock daemon.\n\n"
    "  penstock query 'select 1'\n"
    "  penstock query 'select name from users where age > $1' 18 --format csv\n"
    "  penstock exec 'insert into users(name) values($1)' Ada\n"
    "  penstock migrate up ./migrations\n"
    "  penstock gen --output tables.h\n"
    "  penstock secret seal --key secret.key < password.txt\n";

// Printed below the options: explains arguments, formats and exit codes.
inline constexpr char kFooter[] =
    R"(Arguments fill the parameters $1, $2, … of the statement. An argument that is written
exactly as a 64-bit integer is printed is an integer (42, -7, 0). Every other argument is
text, byte for byte: 007, -0, +5, 1.5, 1e5, true, null, [1,2] and the empty one. A prefix
sets the kind explicitly:
  int:42  real:1.5  bool:true  text:42  decimal:12.50  json:{"a":1}
  blob:c0ffee (hexadecimal)  null:
Everything after text: is text, so use "text:$x" for arbitrary text. A real becomes the
nearest double; a number beyond the range of a double is refused. Infinity and NaN are
written as such. A statement, argument, key or value that begins with a dash and a letter
must come after `--`; nothing after `--` is an option. In `kv`, only the prefix blob: and
the value - have a meaning; with --raw they have none.

Formats:
  table  for people. NULL is NULL, and the text 'NULL' has quotes; a blob is \x and
         hexadecimal digits; control characters are escaped (\n, \u{1b}).
  csv    RFC 4180 with a header, as PostgreSQL's COPY … CSV writes and reads it: NULL
         is an empty field without quotes, empty text is "". If the result has one
         column, NULL is \N, because readers skip empty lines: COPY … CSV NULL '\N'.
         --null sets another text for NULL. A blob is \x and hexadecimal digits. Text
         that could be mistaken for NULL or a blob has quotes.
  json   an array with one object for each row. Decimals, times and the like are
         strings. A blob is {"base64": "…"}; NaN and infinities are {"real": "NaN"}. If
         a column name is repeated, the later ones get _2, _3, ….
  kv     in csv and json, `kv` writes keys and values that are not text in the form in
         which it reads them, blob:ff, and also text that begins with blob: or is -.

Exit codes:
  0  success
  1  the statement or migration failed, the daemon refused the caller, a file is not a
     valid migration, a sealed text cannot be opened, or the result could not be written
  2  the command line is wrong, or standard input, the file of --token-file or of
     gen --check, or a key of secret cannot be read; nothing was sent
  3  the daemon or its database could not be reached
  4  migrate status: there are pending migrations
  5  migrate: files and history do not agree, a migration needs a repair or cannot be
     undone, or the database is not empty and has no history
     gen --check: the file does not match the database)";

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_HELP_TEXT_H_
