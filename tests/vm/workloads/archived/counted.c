/* A library to be mapped out of an archive. Its entry point, which archived.c calls, needs no relocation. */
long counted(long number)
{
	return 2 * number;
}
