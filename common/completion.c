/*
 * Completion scripts. Each shell gets a function that finds the command on the line (the longest name wins, as in
 * common/options.c) and offers its options; what an option's value is called says whether it is a file.
 */
#include "common/manual.h"

enum value_kind { VALUE_FLAG, VALUE_FILE, VALUE_DIR, VALUE_OTHER };

static enum value_kind kind_of(const struct jic_option *o)
{
	if (!o->value)
		return VALUE_FLAG;
	if (strcmp(o->value, "DIR") == 0)
		return VALUE_DIR;
	return strcmp(o->value, "FILE") == 0 || strcmp(o->value, "PATH") == 0 ? VALUE_FILE : VALUE_OTHER;
}

static struct jic_view first_word(const char *name)
{
	const char *space = strchr(name, ' ');
	return space ? jic_view_bytes(name, (size_t)(space - name)) : jic_view_of(name);
}

/* The second word of "token create"; NULL for a name of one. */
static const char *second_word(const char *name)
{
	const char *space = strchr(name, ' ');
	return space ? space + 1 : NULL;
}

/* True for the first command with this first word. */
static bool is_new_word(const struct jic_program *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (jic_view_eq(first_word(p->commands[k].name), first_word(p->commands[i].name)))
			return false;
	return true;
}

/* Text for between single quotes of all three shells: what is special to one of them becomes harmless. */
static void put_harmless(const char *text, const char *colon, struct jic_buf *out)
{
	for (; *text && *text != '\n'; text++) {
		if (*text == '\'')
			jic_buf_puts(out, "\342\200\231"); /* a typographer's apostrophe */
		else if (*text == '[' || *text == ']')
			jic_buf_putc(out, *text == '[' ? '(' : ')');
		else if (*text == ':')
			jic_buf_puts(out, colon);
		else if (*text == '\\' || *text == '`')
			jic_buf_putc(out, '"');
		else
			jic_buf_putc(out, *text);
	}
}

/* ---- bash */

static void bash_words(const struct jic_program *p, struct jic_buf *out)
{
	jic_buf_puts(out, "\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '");
	for (size_t i = 0; i < p->count; i++)
		if (is_new_word(p, i))
			jic_buf_printf(out, JIC_PRIv " ", JIC_ARGv(first_word(p->commands[i].name)));
	jic_buf_puts(out, "--help --version' -- \"$cur\"))\n\t\treturn\n\tfi\n");
	jic_buf_puts(out, "\tif [ \"$COMP_CWORD\" = 2 ]; then\n\t\tlocal second=\n\t\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < p->count; i++) {
		if (!second_word(p->commands[i].name) || !is_new_word(p, i))
			continue;
		jic_buf_printf(out, "\t\t" JIC_PRIv ") second='", JIC_ARGv(first_word(p->commands[i].name)));
		for (size_t k = i; k < p->count; k++)
			if (second_word(p->commands[k].name) &&
			    jic_view_eq(first_word(p->commands[k].name), first_word(p->commands[i].name)))
				jic_buf_printf(out, "%s ", second_word(p->commands[k].name));
		jic_buf_puts(out, "' ;;\n");
	}
	jic_buf_puts(out, "\t\tesac\n\t\tif [ -n \"$second\" ]; then\n\t\t\tCOMPREPLY=($(compgen -W \"$second\" -- "
	                  "\"$cur\"))\n\t\t\treturn\n\t\tfi\n\tfi\n");
}

static void bash_list(const struct jic_command *c, const char *variable, bool all, enum value_kind kind,
                      struct jic_buf *out)
{
	jic_buf_printf(out, " %s='", variable);
	for (size_t i = 0; i < c->options_count; i++)
		if (all || kind_of(&c->options[i]) == kind)
			jic_buf_printf(out, " --%s", c->options[i].name);
	jic_buf_puts(out, all ? " --help'" : " '");
}

static void bash_script(const struct jic_program *p, struct jic_buf *out)
{
	jic_buf_printf(out, "# bash completion for %s\n_%s() {\n", p->name, p->name);
	jic_buf_puts(out, "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	                  "\tlocal line=\" ${COMP_WORDS[*]:1:COMP_CWORD-1} \" options= files= dirs= others= tail=\n"
	                  "\tCOMPREPLY=()\n");
	bash_words(p, out);
	jic_buf_puts(out, "\tcase $line in\n");
	for (size_t i = 0; i < p->count; i++) {
		const struct jic_command *c = &p->commands[i];
		jic_buf_printf(out, "\t\" %s \"*)", c->name);
		bash_list(c, "options", true, VALUE_FLAG, out);
		bash_list(c, "files", false, VALUE_FILE, out);
		bash_list(c, "dirs", false, VALUE_DIR, out);
		bash_list(c, "others", false, VALUE_OTHER, out);
		jic_buf_printf(out, "%s ;;\n", c->verbatim_tail ? " tail=yes" : "");
	}
	jic_buf_printf(out,
	               "\tesac\n"
	               "\tif [ -n \"$tail\" ] && [[ $line = *' -- '* ]]; then\n"
	               "\t\tCOMPREPLY=($(compgen -c -f -- \"$cur\"))\n"
	               "\t\treturn\n"
	               "\tfi\n"
	               "\tcase \"$files \" in *\" $prev \"*) COMPREPLY=($(compgen -f -- \"$cur\")); return ;; esac\n"
	               "\tcase \"$dirs \" in *\" $prev \"*) COMPREPLY=($(compgen -d -- \"$cur\")); return ;; esac\n"
	               "\tcase \"$others \" in *\" $prev \"*) return ;; esac\n"
	               "\tcase $cur in\n"
	               "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
	               "\t*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
	               "\tesac\n"
	               "}\ncomplete -o filenames -F _%s %s\n",
	               p->name, p->name);
}

/* ---- zsh */

static void zsh_describe(const struct jic_program *p, size_t first, bool seconds, struct jic_buf *out)
{
	jic_buf_puts(out, "\t\twords_here=(");
	for (size_t i = first; i < p->count; i++) {
		const char *name = p->commands[i].name;
		if (seconds &&
		    (!second_word(name) || !jic_view_eq(first_word(name), first_word(p->commands[first].name))))
			continue;
		if (!seconds && !is_new_word(p, i))
			continue;
		if (seconds)
			jic_buf_printf(out, "\n\t\t\t%s:", second_word(name));
		else
			jic_buf_printf(out, "\n\t\t\t" JIC_PRIv ":", JIC_ARGv(first_word(name)));
		jic_buf_putc(out, '\'');
		put_harmless(!seconds && second_word(name) ? "several commands" : p->commands[i].summary, "\\:", out);
		jic_buf_putc(out, '\'');
	}
	jic_buf_puts(out, ")\n\t\t_describe command words_here\n\t\treturn\n");
}

static void zsh_command(const struct jic_command *c, struct jic_buf *out)
{
	static const char *const actions[] = {
	    [VALUE_FLAG] = "", [VALUE_FILE] = "_files", [VALUE_DIR] = "_files -/", [VALUE_OTHER] = " "};
	const bool two = second_word(c->name) != NULL;
	jic_buf_printf(out, "\t'%s%s)\n\t\tshift %d words\n\t\t(( CURRENT -= %d ))\n\t\t_arguments \\\n", c->name,
	               two ? "'" : " '*", two ? 2 : 1, two ? 2 : 1);
	for (size_t i = 0; i < c->options_count; i++) {
		const struct jic_option *o = &c->options[i];
		jic_buf_printf(out, "\t\t\t'--%s%s[", o->name, o->value ? "=" : "");
		put_harmless(o->help, "\\:", out);
		jic_buf_putc(out, ']');
		if (o->value)
			jic_buf_printf(out, ":%s:%s", o->value, actions[kind_of(o)]);
		jic_buf_puts(out, "' \\\n");
	}
	jic_buf_printf(out, "\t\t\t'--help[print a summary of the options]' \\\n\t\t\t'%s'\n\t\t;;\n",
	               c->verbatim_tail ? "*::command:_normal" : "*:file:_files");
}

static void zsh_script(const struct jic_program *p, struct jic_buf *out)
{
	jic_buf_printf(out, "#compdef %s\n_%s() {\n\tlocal -a words_here\n\tif (( CURRENT == 2 )); then\n", p->name,
	               p->name);
	zsh_describe(p, 0, false, out);
	jic_buf_puts(out, "\tfi\n");
	for (size_t i = 0; i < p->count; i++) {
		if (!second_word(p->commands[i].name) || !is_new_word(p, i))
			continue;
		jic_buf_printf(out, "\tif (( CURRENT == 3 )) && [[ $words[2] = " JIC_PRIv " ]]; then\n",
		               JIC_ARGv(first_word(p->commands[i].name)));
		zsh_describe(p, i, true, out);
		jic_buf_puts(out, "\tfi\n");
	}
	jic_buf_puts(out, "\tcase \"$words[2] $words[3]\" in\n");
	for (int two = 1; two >= 0; two--)
		for (size_t i = 0; i < p->count; i++)
			if ((second_word(p->commands[i].name) != NULL) == two)
				zsh_command(&p->commands[i], out);
	jic_buf_printf(out, "\tesac\n}\nif [[ $funcstack[1] = _%s ]]; then _%s \"$@\"; else compdef _%s %s; fi\n",
	               p->name, p->name, p->name, p->name);
}

/* ---- fish */

static void fish_text(const char *text, struct jic_buf *out)
{
	jic_buf_putc(out, '\'');
	put_harmless(text, ":", out);
	jic_buf_puts(out, "'\n");
}

static void fish_command(const struct jic_program *p, size_t i, struct jic_buf *out)
{
	const struct jic_command *c = &p->commands[i];
	const char *second = second_word(c->name);
	if (second)
		jic_buf_printf(out, "complete -c %s -n '__%s_at " JIC_PRIv "' -a %s -d ", p->name, p->name,
		               JIC_ARGv(first_word(c->name)), second);
	else
		jic_buf_printf(out, "complete -c %s -n '__%s_at' -a %s -d ", p->name, p->name, c->name);
	fish_text(c->summary, out);
	if (second && is_new_word(p, i))
		jic_buf_printf(out, "complete -c %s -n '__%s_at' -a " JIC_PRIv " -d 'several commands'\n", p->name,
		               p->name, JIC_ARGv(first_word(c->name)));
	for (size_t k = 0; k < c->options_count; k++) {
		static const char *const values[] = {[VALUE_FLAG] = "",
		                                     [VALUE_FILE] = " -r -F",
		                                     [VALUE_DIR] = " -x -a '(__fish_complete_directories)'",
		                                     [VALUE_OTHER] = " -x"};
		const struct jic_option *o = &c->options[k];
		jic_buf_printf(out, "complete -c %s -n '__%s_in %s' -l %s%s -d ", p->name, p->name, c->name, o->name,
		               values[kind_of(o)]);
		fish_text(o->help, out);
	}
	if (c->positional)
		jic_buf_printf(out, "complete -c %s -n '__%s_in %s' -F\n", p->name, p->name, c->name);
}

static void fish_script(const struct jic_program *p, struct jic_buf *out)
{
	jic_buf_printf(out,
	               "# fish completion for %s\n"
	               "function __%s_at --description 'exactly these words are on the line'\n"
	               "\tset -l given (commandline -opc)\n"
	               "\tset -e given[1]\n"
	               "\ttest \"$given\" = \"$argv\"\n"
	               "end\n"
	               "function __%s_in --description 'the line begins with these words'\n"
	               "\tset -l given (commandline -opc)\n"
	               "\tset -e given[1]\n"
	               "\tstring match -q -- \"$argv *\" \"$given \"\n"
	               "end\n"
	               "complete -c %s -f\n",
	               p->name, p->name, p->name, p->name);
	for (size_t i = 0; i < p->count; i++)
		fish_command(p, i, out);
	jic_buf_printf(out, "complete -c %s -l help -s h -d 'print a summary of the options'\n", p->name);
}

bool jic_completion(const struct jic_program *p, struct jic_view shell, struct jic_buf *out, struct jic_error *err)
{
	static const struct {
		const char *name;
		void (*write)(const struct jic_program *p, struct jic_buf *out);
	} shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
	for (size_t i = 0; i < JIC_COUNT(shells); i++) {
		if (!jic_view_is(shell, shells[i].name))
			continue;
		shells[i].write(p, out);
		return jic_buf_ok(out, err);
	}
	return jic_fail(err, JIC_EUSAGE, "completion is for bash, zsh or fish, not \"" JIC_PRIv "\"", JIC_ARGv(shell));
}
