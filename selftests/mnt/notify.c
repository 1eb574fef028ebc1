// SPDX-License-Identifier: GPL-2.0-or-later
/* Hearing of changes: poll(2) on mountinfo, and fanotify(7) on a mount namespace. */
#include "mountinfo.h"

#include <poll.h>
#include <sys/fanotify.h>

#define NOTIFY_NEEDS                                                                               \
	NEED(admin) | NEED(mntns) | NEED(userns) | NEED(mount_notify) | NEED(unique_mount_id)

/* FAN_EVENT_INFO_TYPE_MNT and its record, 6.14. */
enum { INFO_MOUNT = 7 };
struct mount_record {
	struct fanotify_event_info_header head;
	uint64_t id;
};

static uint64_t unique_id(const char *path)
{
	struct statx status;

	MUST(statx(AT_FDCWD, path, 0, STATX_MNT_ID_UNIQUE, &status));
	return status.stx_mnt_id;
}

/* A group that watches the caller's mount namespace. */
static int watch_namespace(void)
{
	_fd_ int namespace = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	int group = MUST(fanotify_init(FAN_REPORT_MNT | FAN_NONBLOCK | FAN_CLOEXEC, 0));

	MUST(syscall(SYS_fanotify_mark, group, FAN_MARK_ADD | FAN_MARK_MNTNS,
		     (uint64_t)(FAN_MNT_ATTACH | FAN_MNT_DETACH), namespace, NULL));
	return group;
}

/* The next event: its mask, and the mount in *id; 0 when there is none. */
static uint64_t next_event(int group, uint64_t *id)
{
	static union {
		struct fanotify_event_metadata head;
		char bytes[4096];
	} buffer;
	static ssize_t length, at;
	const struct fanotify_event_metadata *event;
	const struct mount_record *record;

	if (at >= length) {
		length = read(group, buffer.bytes, sizeof(buffer.bytes));
		at = 0;
	}
	if (length <= 0)
		return 0;
	event = (const void *)(buffer.bytes + at);
	record = (const void *)(buffer.bytes + at + event->metadata_len);
	at += event->event_len;
	if (record->head.info_type != INFO_MOUNT)
		broken("an event without a mount");
	*id = record->id;
	return event->mask;
}

TEST(mnt, attach_and_detach_are_reported,
     .says = "a watch of the mount namespace reports each mount that is attached and detached",
     .checks = "mnt-057", .needs = NOTIFY_NEEDS)
{
	uint64_t id = 0, seen = 0;
	_fd_ int group = -EBADF;

	own_stage();
	group = watch_namespace();
	EXPECT_EQ(0, next_event(group, &seen));
	must_tmpfs("m");
	id = unique_id("m");
	EXPECT_EQ(FAN_MNT_ATTACH, next_event(group, &seen));
	EXPECT_EQ(id, seen);
	MUST(umount("m"));
	EXPECT_EQ(FAN_MNT_DETACH, next_event(group, &seen));
	EXPECT_EQ(id, seen);
	EXPECT_EQ(0, next_event(group, &seen));
}

TEST(mnt, move_is_reported_as_both,
     .says = "a moved mount is reported once, as detached and attached", .checks = "mnt-057",
     .needs = NOTIFY_NEEDS)
{
	uint64_t seen = 0;
	_fd_ int group = -EBADF;

	own_stage();
	must_tmpfs("m");
	must_mkdir("there");
	group = watch_namespace();
	MUST(mount("m", "there", NULL, MS_MOVE, NULL));
	EXPECT_EQ(FAN_MNT_ATTACH | FAN_MNT_DETACH, next_event(group, &seen));
	EXPECT_EQ(unique_id("there"), seen);
	EXPECT_EQ(0, next_event(group, &seen));
}

TEST(mnt, propagated_mounts_are_reported,
     .says = "a mount on a shared mount is reported once for each peer", .checks = "mnt-057",
     .needs = NOTIFY_NEEDS)
{
	uint64_t seen = 0;
	_fd_ int group = -EBADF;
	unsigned events = 0;

	own_stage();
	must_tmpfs("point");
	must_mkdir("point/sub");
	must_mkdir("peer");
	must_mount(NULL, "point", NULL, MS_SHARED, NULL);
	must_mount("point", "peer", NULL, MS_BIND, NULL);
	group = watch_namespace();
	must_tmpfs("point/sub");
	for (uint64_t mask; (mask = next_event(group, &seen)); events++)
		EXPECT_EQ(FAN_MNT_ATTACH, mask);
	EXPECT_EQ(2, events);
}

TEST(mnt, pivot_root_is_reported_as_two_moves,
     .says = "pivot_root is reported as a move of the new root and one of the old",
     .checks = "mnt-057", .needs = NOTIFY_NEEDS)
{
	uint64_t seen = 0;
	_fd_ int group = -EBADF;
	unsigned events = 0;

	own_stage();
	must_tree("new");
	group = watch_namespace();
	MUST(syscall(SYS_pivot_root, "new", "new/oldroot"));
	for (uint64_t mask; (mask = next_event(group, &seen)); events++) {
		EXPECT_EQ(FAN_MNT_ATTACH | FAN_MNT_DETACH, mask);
		EXPECT(seen == unique_id("/") || seen == unique_id("/oldroot"));
	}
	EXPECT_EQ(2, events);
}

TEST(mnt, watch_needs_the_right_over_the_namespace,
     .says = "a mount namespace of the host cannot be watched from a user namespace (EPERM)",
     .finding = "a user namespace watches the mounts of the host", .checks = "mnt-057",
     .needs = NOTIFY_NEEDS)
{
	_fd_ int host = -EBADF;

	own_stage();
	host = MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	UNSHARED(CLONE_NEWUSER | CLONE_NEWNS) {
		_fd_ int group = fanotify_init(FAN_REPORT_MNT | FAN_NONBLOCK | FAN_CLOEXEC, 0);

		EXPECT_EQ(-1, syscall(SYS_fanotify_mark, group, FAN_MARK_ADD | FAN_MARK_MNTNS,
				      (uint64_t)FAN_MNT_ATTACH, host, NULL));
	}
	AS_NOBODY {
		_fd_ int group = fanotify_init(FAN_REPORT_MNT | FAN_NONBLOCK | FAN_CLOEXEC, 0);

		EXPECT_EQ(-1, syscall(SYS_fanotify_mark, group, FAN_MARK_ADD | FAN_MARK_MNTNS,
				      (uint64_t)FAN_MNT_ATTACH, host, NULL));
	}
}

static bool has_changed(int table)
{
	struct pollfd change = { .fd = table, .events = POLLPRI };

	MUST(poll(&change, 1, 0));
	return change.revents & POLLPRI;
}

TEST(mnt, mountinfo_tells_of_changes,
     .says = "poll on mountinfo wakes for a mount, an umount and a change of flags, once each",
     .checks = "mnt-057 mnt-069", .needs = NEED(admin) | NEED(mntns))
{
	_fd_ int table = -EBADF;

	own_stage();
	must_mkdir("m");
	table = MUST(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
	EXPECT(!has_changed(table));
	must_tmpfs("m");
	EXPECT(has_changed(table));
	EXPECT(!has_changed(table));
	must_mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL);
	EXPECT(has_changed(table));
	MUST(umount("m"));
	EXPECT(has_changed(table));
	EXPECT(!has_changed(table));
}

TEST(mnt, changes_elsewhere_are_not_told,
     .says = "poll on mountinfo does not wake for what happens in another mount namespace",
     .checks = "mnt-057 mnt-069", .needs = NEED(admin) | NEED(mntns))
{
	_fd_ int table = -EBADF;

	own_stage();
	must_mkdir("m");
	table = MUST(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
	EXPECT(!has_changed(table));
	UNSHARED(CLONE_NEWNS) { must_tmpfs("m"); }
	EXPECT(!has_changed(table));
	must_tmpfs("m");
	EXPECT(has_changed(table));
}
