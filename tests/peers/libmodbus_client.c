/* A Modbus client of libmodbus: `libmodbus_client tcp PORT UNIT` or `rtu PATH UNIT`.
   Prints as one line of JSON what modbus_client.cjs prints. */
#include <errno.h>
#include <modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(const char *what)
{
    printf("{\"error\": \"%s: %s\"}\n", what, modbus_strerror(errno));
    return 1;
}

static void list(const char *name, const int *values, int count)
{
    printf("\"%s\": [", name);
    for (int i = 0; i < count; i++)
        printf("%s%d", i ? ", " : "", values[i]);
    printf("], ");
}

int main(int argc, char *argv[])
{
    uint16_t words[33];
    uint8_t bits[16], running[8];
    int values[33];

    if (argc != 4)
        return 2;
    modbus_t *line = strcmp(argv[1], "tcp") == 0 ? modbus_new_tcp("127.0.0.1", atoi(argv[2]))
                                                 : modbus_new_rtu(argv[2], 9600, 'N', 8, 1);
    modbus_set_slave(line, atoi(argv[3]));
    modbus_set_response_timeout(line, 3, 0);
    if (modbus_connect(line) == -1)
        return failed("connect");
    if (modbus_read_input_registers(line, 0x10, 33, words) != 33)
        return failed("counters");
    if (modbus_read_input_bits(line, 0, 16, bits) != 16)
        return failed("level");
    if (modbus_write_bit(line, 0x103, 0) != 1)
        return failed("write");
    if (modbus_read_bits(line, 0x100, 8, running) != 8)
        return failed("running");
    printf("{");
    for (int i = 0; i < 33; i++)
        values[i] = words[i];
    list("counters", values, 33);
    for (int i = 0; i < 16; i++)
        values[i] = bits[i];
    list("level", values, 16);
    for (int i = 0; i < 8; i++)
        values[i] = running[i];
    list("running", values, 8);
    int refused = modbus_read_registers(line, 0, 1, words) == -1 ? errno - MODBUS_ENOBASE : 0;
    printf("\"refused\": %d}\n", refused);
    modbus_close(line);
    modbus_free(line);
    return 0;
}
