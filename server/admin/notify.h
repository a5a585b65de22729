/**
 * What a service manager is told and tells: the protocol of sd_notify(3) and sd_listen_fds(3), which is one datagram
 * and three environment variables. Without a service manager all of this does nothing.
 */
#ifndef JIC_SERVER_ADMIN_NOTIFY_H
#define JIC_SERVER_ADMIN_NOTIFY_H

#include "common/attr.h"

#include <stddef.h>
#include <stdint.h>

/** Send assignments, joined by newlines: "READY=1\nSTATUS=…". Nobody listening is no error: there is nobody to tell. */
void jic_notify(const char *assignments);
/** "RELOADING=1" with the moment, which newer managers demand; "READY=1" ends it. */
void jic_notify_reloading(void);

/** How often "WATCHDOG=1" must come, in microseconds. 0: nobody waits for it. */
uint64_t jic_notify_watchdog_us(void);

/** Sockets that were opened for us: descriptors from JIC_NOTIFY_FD_FIRST on, close-on-exec from now on. */
enum { JIC_NOTIFY_FD_FIRST = 3, JIC_NOTIFY_FDS_MAX = 16 };
size_t jic_notify_listen_fds(void);

#endif
