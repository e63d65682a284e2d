class AddUsers < ActiveRecord::Migration[6.1]
  def change
    create_table :t_add_users do |t|
      t.string :name
    end
  end
end
