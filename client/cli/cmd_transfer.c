/* jicache pull, jicache push: one operation each, told by its summary. */
#include "client/cli/cli.h"

int jic_cmd_pull(struct jic_cli *cli)
{
	return jic_cli_operate(cli, jic_session_pull, NULL);
}

int jic_cmd_push(struct jic_cli *cli)
{
	return jic_cli_operate(cli, jic_session_push, NULL);
}
