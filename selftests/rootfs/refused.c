// SPDX-License-Identifier: GPL-2.0-or-later
/* Roots that a runtime must refuse: what starts nevertheless runs on another one. */
#include "../harness/selftest.h"

struct no_root {
	const char *label, *name;
};

ROWS(no_roots, struct no_root) = {
	{ "absent", "absent" },
	{ "a_file", "file" },
	{ "a_dangling_link", "link" },
	{ "a_loop_of_links", "loop" },
};

TEST_EACH(no_roots, rootfs, a_root_that_is_none_is_an_error,
	  .says = "a root that is not there, or is no directory, is an error; another one is not",
	  .finding = "a container started on a root that does not exist", .checks = "rootfs-05",
	  .layer = RUNTIME, .needs = NEED(mntns))
{
	must_create("file", "no directory");
	MUST(symlink("absent", "link"));
	MUST(symlink("loop", "loop"));
	EXPECT(CONTAINER_STARTS(.rootfs = subject_rootfs()));
	EXPECT(!CONTAINER_STARTS(.rootfs = text("%s/%s", scratch(), row->name)));
	EXPECT(!exists("absent"));
	MUST(unlink("file"));
	MUST(unlink("link"));
	MUST(unlink("loop"));
}
