/*
 * Any path for any method. Properties: there is a route or an answer; parameters lie in the request's own memory and
 * have no control character; a query's lane is a lane's name.
 */
#include "server/http/request.h"
#include "server/http/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum jic_method methods[] = {JIC_METHOD_GET, JIC_METHOD_HEAD, JIC_METHOD_PUT, JIC_METHOD_POST,
	                                          JIC_METHOD_OTHER};
	const struct jic_http_service service = {0};
	if (size == 0)
		return 0;
	struct jic_request *r = jic_request_new(&service);
	JIC_ASSERT(r);
	r->method = methods[data[0] % JIC_COUNT(methods)];
	r->path = jic_view_bytes(data + 1, size - 1);
	jic_route_find(r);
	JIC_ASSERT(r->route || jic_request_answered(r));
	for (size_t i = 0; r->route && i < JIC_ROUTE_PARAMETERS_MAX; i++)
		for (size_t k = 0; k < r->parameters[i].len; k++)
			JIC_ASSERT((unsigned char)r->parameters[i].ptr[k] >= 0x20);
	jic_request_free(r);
	return 0;
}
