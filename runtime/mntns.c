// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount namespace: private from end to end, so that no mount travels between
 * container and host in either direction (mount_namespaces(7), "Shared subtrees").
 */
#include "steps.h"
#include "sys.h"

/*
 * Called at the start and again just before the old root is detached: were the first
 * call lost, that unmount would travel to the host, and no cheap look can tell.
 */
int mntns_inside(struct inside *in)
{
	int ret = sys_mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);

	if (ret < 0)
		return fail(&in->fault, STEP_stop_propagation, "/", ret);
	return 0;
}
