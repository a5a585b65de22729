/* In place of the dashboard, in a build without Node.js: dashboard.c answers with a page that says how to get it. */
#include "server/http/dashboard.h"

const struct jic_asset jic_assets[] = {{.name = ""}};
const size_t jic_assets_count = 0;
