exports.up = (knex) => knex.schema.createTable("t_20250102000000_users", (t) => { t.increments(); });
exports.down = (knex) => knex.schema.dropTable("t_20250102000000_users");
