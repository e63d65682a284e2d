class Users1735776000000 {
    name = 'Users1735776000000'
    async up(queryRunner) { await queryRunner.query(`CREATE TABLE "t_1735776000000" ("id" int)`); }
    async down(queryRunner) { await queryRunner.query(`DROP TABLE "t_1735776000000"`); }
}
module.exports = { Users1735776000000 };
