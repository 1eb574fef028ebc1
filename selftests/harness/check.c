// SPDX-License-Identifier: GPL-2.0-or-later
/* Claims: count each one, and for a false one say what was expected and what was seen. */
#include "harness.h"

static bool judge(const struct check *check, bool holds, const char *want, const char *got)
{
	board->checks++;
	reached(check->line);
	if (holds)
		return true;
	fail_at(check->file, check->line, "%s: expected %s, got %s", check->text, want, got);
	if (check->fatal)
		give_up();
	return false;
}

bool check_true(const struct check *check, bool holds)
{
	return judge(check, holds, "true", "false");
}

/* Decimal, and hexadecimal too where that reads better. */
static const char *number(char *buffer, size_t size, long long value)
{
	if (value > 4096)
		snprintf(buffer, size, "%lld (%#llx)", value, value);
	else
		snprintf(buffer, size, "%lld", value);
	return buffer;
}

/* What "want OP got" asks of `got`, in words. */
static const struct relation {
	const char *op, *words;
} relations[] = {
	{ "==", "" },          { "!=", "not " },      { "<", "more than " },
	{ "<=", "at least " }, { ">", "less than " }, { ">=", "at most " },
};

static bool compare(long long want, const char *op, long long got)
{
	switch (op[0] * 2 + (op[1] == '=')) {
	case '=' * 2 + 1: return want == got;
	case '!' * 2 + 1: return want != got;
	case '<' * 2 + 1: return want <= got;
	case '>' * 2 + 1: return want >= got;
	case '<' * 2: return want < got;
	default: return want > got;
	}
}

bool check_number(const struct check *check, long long want, const char *op, long long got)
{
	char wanted[80], seen[80];
	size_t i = 0;

	while (strcmp(relations[i].op, op))
		i++;
	snprintf(wanted, sizeof(wanted), "%s", relations[i].words);
	number(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), want);
	return judge(check, compare(want, op, got), wanted, number(seen, sizeof(seen), got));
}

static const char *quoted(char *buffer, size_t size, const char *string)
{
	if (!string)
		return "NULL";
	snprintf(buffer, size, "\"%s\"", string);
	return buffer;
}

bool check_string(const struct check *check, const char *want, bool same, const char *got)
{
	char wanted[400], seen[400], other[440];
	bool equal = want && got ? !strcmp(want, got) : want == got;

	quoted(wanted, sizeof(wanted), want);
	snprintf(other, sizeof(other), "%s%s", same ? "" : "anything but ", want ? wanted : "NULL");
	return judge(check, equal == same, other, quoted(seen, sizeof(seen), got));
}

bool check_contains(const struct check *check, const char *part, bool wanted, const char *whole)
{
	char want[300], got[600];
	bool found = part && whole && strstr(whole, part);

	snprintf(want, sizeof(want), "%s\"%s\"", wanted ? "a text with " : "a text without ",
		 part ? part : "(NULL)");
	return judge(check, whole && found == wanted, want, quoted(got, sizeof(got), whole));
}

/* Not every C library has strerrorname_np(3). */
static const char *errno_name(int error)
{
	static const struct {
		int value;
		const char *name;
	} names[] = {
#define NAME(value) { value, #value }
		NAME(EPERM),        NAME(ENOENT),    NAME(ESRCH),      NAME(EINTR),
		NAME(EIO),          NAME(ENXIO),     NAME(E2BIG),      NAME(ENOEXEC),
		NAME(EBADF),        NAME(ECHILD),    NAME(EAGAIN),     NAME(ENOMEM),
		NAME(EACCES),       NAME(EFAULT),    NAME(EBUSY),      NAME(EEXIST),
		NAME(EXDEV),        NAME(ENODEV),    NAME(ENOTDIR),    NAME(EISDIR),
		NAME(EINVAL),       NAME(ENFILE),    NAME(EMFILE),     NAME(ENOTTY),
		NAME(EFBIG),        NAME(ENOSPC),    NAME(ESPIPE),     NAME(EROFS),
		NAME(EMLINK),       NAME(EPIPE),     NAME(ERANGE),     NAME(ENOSYS),
		NAME(ENAMETOOLONG), NAME(ENOTEMPTY), NAME(ELOOP),      NAME(EUSERS),
		NAME(ESTALE),       NAME(EOVERFLOW), NAME(EOPNOTSUPP), NAME(ECONNREFUSED),
#undef NAME
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].value == error)
			return names[i].name;
	return "errno";
}

static const char *errno_text(char *buffer, size_t size, long result, int error)
{
	if (result != -1)
		snprintf(buffer, size, "success (%ld)", result);
	else
		snprintf(buffer, size, "%s (%d, %s)", errno_name(error), error, strerror(error));
	return buffer;
}

bool check_errno(const struct check *check, int want, long result)
{
	int error = errno;
	char wanted[120], seen[120];

	errno_text(wanted, sizeof(wanted), -1, want);
	errno_text(seen, sizeof(seen), result, error);
	return judge(check, result == -1 && error == want, wanted, seen);
}

long check_ok(const struct check *check, long result)
{
	int error = errno;
	char seen[120];

	errno_text(seen, sizeof(seen), result, error);
	judge(check, result != -1, "success", seen);
	errno = error;
	return result;
}

static const char *status_text(char *buffer, size_t size, int status)
{
	if (WIFSIGNALED(status))
		snprintf(buffer, size, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (WIFEXITED(status))
		snprintf(buffer, size, "exit status %d", WEXITSTATUS(status));
	else
		snprintf(buffer, size, "wait status %#x", status);
	return buffer;
}

bool check_exit(const struct check *check, int want, int status)
{
	char wanted[64], seen[120];

	snprintf(wanted, sizeof(wanted), "exit status %d", want);
	status_text(seen, sizeof(seen), status);
	return judge(check, WIFEXITED(status) && WEXITSTATUS(status) == want, wanted, seen);
}

bool check_signal(const struct check *check, int want, int status)
{
	char wanted[64], seen[120];

	snprintf(wanted, sizeof(wanted), "killed by signal %d", want);
	status_text(seen, sizeof(seen), status);
	return judge(check, WIFSIGNALED(status) && WTERMSIG(status) == want, wanted, seen);
}

long check_must(const char *file, int line, const char *expression, long result)
{
	int error = errno;

	reached(line);
	if (result == -1)
		check_broken(file, line, "%s: %s", expression, strerror(error));
	return result;
}

void check_stage(const char *file, int line, const char *expression, bool holds)
{
	reached(line);
	if (!holds)
		check_broken(file, line, "%s does not", expression);
}
