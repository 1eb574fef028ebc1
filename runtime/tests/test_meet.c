// SPDX-License-Identifier: GPL-2.0-or-later
/* The channel between host and inside: end of file and disorder are failures, never a wake. */
#include "unit.h"

#include "../meet.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct container c;

static void set_up(void)
{
	ck_assert_int_eq(host_open_channel(&c), 0);
}

START_TEST(opens_a_channel_of_its_own)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_int_ge(c.channel[i], 3);
		ck_assert_int_eq(fcntl(c.channel[i], F_GETFD), FD_CLOEXEC);
	}
}
END_TEST

START_TEST(wakes_at_the_right_word)
{
	ck_assert_int_eq(meet_say(c.channel[0], MEET_RELEASED, NULL), 0);
	ck_assert_int_eq(meet_wait(c.channel[1], MEET_RELEASED), 0);
}
END_TEST

START_TEST(refuses_who_is_out_of_step)
{
	ck_assert_int_eq(meet_say(c.channel[0], MEET_READY, NULL), 0);
	ck_assert_int_eq(meet_wait(c.channel[1], MEET_RELEASED), -EPROTO);
}
END_TEST

START_TEST(end_of_file_is_no_wake)
{
	close(c.channel[0]);
	ck_assert_int_eq(meet_wait(c.channel[1], MEET_RELEASED), -EPIPE);
}
END_TEST

START_TEST(a_short_message_is_no_wake)
{
	const enum meeting word = MEET_RELEASED;

	ck_assert_int_eq(send(c.channel[0], &word, sizeof(word), 0), sizeof(word));
	ck_assert_int_eq(meet_wait(c.channel[1], MEET_RELEASED), -EPIPE);
}
END_TEST

START_TEST(an_unread_end_reports_itself)
{
	close(c.channel[1]);
	ck_assert_int_eq(meet_say(c.channel[0], MEET_RELEASED, NULL), -EPIPE);
	ck_assert_int_eq(meet_say(-1, MEET_RELEASED, NULL), -EBADF);
	ck_assert_int_eq(meet_wait(-1, MEET_RELEASED), -EBADF);
}
END_TEST

START_TEST(polls_without_waiting)
{
	struct message m;
	int terminal;

	ck_assert_int_eq(meet_poll(c.channel[0], &m, &terminal), 0);
	ck_assert_int_eq(terminal, -1);
	ck_assert_int_eq(meet_say(c.channel[1], MEET_READY, NULL), 0);
	ck_assert_int_eq(meet_poll(c.channel[0], &m, &terminal), 1);
	ck_assert_int_eq(m.meeting, MEET_READY);
	ck_assert_int_eq(terminal, -1);
	close(c.channel[1]);
	ck_assert_int_eq(meet_poll(c.channel[0], &m, &terminal), 0);
}
END_TEST

START_TEST(polls_a_short_message_as_disorder)
{
	struct message m;
	int terminal;

	ck_assert_int_eq(send(c.channel[1], "x", 1, 0), 1);
	ck_assert_int_eq(meet_poll(c.channel[0], &m, &terminal), -EPROTO);
}
END_TEST

START_TEST(carries_a_fault)
{
	struct fault fault = { .why = 0 };
	struct message m;
	int terminal;

	fail(&fault, STEP_mount, "/proc", EPERM);
	ck_assert_int_eq(meet_say(c.channel[1], MEET_FAILED, &fault), 0);
	ck_assert_int_eq(meet_poll(c.channel[0], &m, &terminal), 1);
	ck_assert_int_eq(m.meeting, MEET_FAILED);
	ck_assert_int_eq(m.fault.step, STEP_mount);
	ck_assert_int_eq(m.fault.why, EPERM);
	ck_assert_str_eq(m.fault.object, "/proc");
}
END_TEST

START_TEST(hands_over_a_descriptor)
{
	struct stat given, got;
	struct message m;
	int terminal, ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(meet_give_terminal(c.channel[1], ends[0]), 0);
	ck_assert_int_eq(meet_poll(c.channel[0], &m, &terminal), 1);
	ck_assert_int_eq(m.meeting, MEET_TERMINAL);
	ck_assert_int_ge(terminal, 3);
	ck_assert_int_eq(fstat(ends[0], &given), 0);
	ck_assert_int_eq(fstat(terminal, &got), 0);
	ck_assert_uint_eq(given.st_ino, got.st_ino);
	ck_assert_int_eq(fcntl(terminal, F_GETFD), FD_CLOEXEC);
}
END_TEST

/* Nobody waits without need: a wait costs two switches between processes. */
static const struct {
	uint64_t namespaces;
	bool stage_only, awaited;
} plans[] = {
	{ CLONE_NEWNS | CLONE_NEWPID, false, false },
	{ CLONE_NEWNS, false, true },
	{ CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER, false, true },
	{ CLONE_NEWNS, true, false },
};

START_TEST(waits_only_where_it_must)
{
	const struct plan p = { .namespaces = plans[_i].namespaces,
				.stage_only = plans[_i].stage_only };

	ck_assert_int_eq(meet_is_awaited(&p), plans[_i].awaited);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("meet");
	TCase *meet = tcase_create("meet");

	tcase_add_checked_fixture(meet, set_up, NULL);
	tcase_add_test(meet, opens_a_channel_of_its_own);
	tcase_add_test(meet, wakes_at_the_right_word);
	tcase_add_test(meet, refuses_who_is_out_of_step);
	tcase_add_test(meet, end_of_file_is_no_wake);
	tcase_add_test(meet, a_short_message_is_no_wake);
	tcase_add_test(meet, an_unread_end_reports_itself);
	tcase_add_test(meet, polls_without_waiting);
	tcase_add_test(meet, polls_a_short_message_as_disorder);
	tcase_add_test(meet, carries_a_fault);
	tcase_add_test(meet, hands_over_a_descriptor);
	tcase_add_loop_test(meet, waits_only_where_it_must, 0, ARRAY_SIZE(plans));
	suite_add_tcase(suite, meet);
	return suite;
}
