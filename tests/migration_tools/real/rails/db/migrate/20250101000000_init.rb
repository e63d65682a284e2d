class Init < ActiveRecord::Migration[6.1]
  def change
    create_table :t_init do |t|
      t.string :name
    end
  end
end
